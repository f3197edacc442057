import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import S3rver from '@20minutes/s3rver'
import type { Config } from '../../src/config.ts'

interface Test {
  teardown(done: () => Promise<void>): void
}

const BUCKET = 'files'

/**
 * Starts a store on loopback that speaks S3; returns the configuration for it, and how to stop it before the end. It does
 * not compare signatures: it reckons with a path and an escaping that are not those of the library.
 */
export async function startS3(t: Test): Promise<{ s3: NonNullable<Config['s3']>; stop(): Promise<void> }> {
  const directory = mkdtempSync(join(tmpdir(), 'lintel-s3-'))
  const server = new S3rver({
    address: '127.0.0.1',
    port: 0,
    silent: true,
    allowMismatchedSignatures: true,
    directory,
    configureBuckets: [{ name: BUCKET }],
  })
  const { port } = await server.run()
  let isRunning = true
  const stop = async () => {
    if (isRunning) await server.close()
    isRunning = false
  }
  t.teardown(async () => {
    await stop()
    rmSync(directory, { recursive: true, force: true })
  })
  const credentials = { accessKeyId: 'S3RVER', secretAccessKey: 'S3RVER' }
  return { s3: { bucket: BUCKET, region: 'us-east-1', endpoint: `http://127.0.0.1:${port}`, ...credentials }, stop }
}
