import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Embedded, removeData, startEmbedded } from '../../src/database/embedded.ts'

export interface TestServer {
  url: string
  remove(): Promise<void>
}

const SETTINGS = {
  // Nothing here outlives the run: that it would survive a crash of the machine need not be paid for.
  fsync: 'off',
  synchronous_commit: 'off',
  full_page_writes: 'off',
  // Of several files, of which one may run two processes with a large pool each.
  max_connections: '300',
}

/** The server of `TEST_DATABASE_URL`, or a real one of our own for as long as the tests run. */
export async function openServer(): Promise<TestServer> {
  const url = process.env.TEST_DATABASE_URL
  if (url) return { url, remove: async () => {} }

  const dataDirectory = mkdtempSync(join(tmpdir(), 'lintel-test-'))
  // Root's PostgreSQL runs as another user, who must get in.
  chmodSync(dataDirectory, 0o711)
  const remove = (embedded?: Embedded) => async () => {
    await embedded?.stop()
    removeData(dataDirectory)
    rmSync(dataDirectory, { recursive: true, force: true })
  }
  try {
    const embedded = await startEmbedded({ dataDirectory, settings: SETTINGS })
    return { url: embedded.url, remove: remove(embedded) }
  } catch (error) {
    await remove()()
    throw error
  }
}
