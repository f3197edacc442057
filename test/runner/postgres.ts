import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { type Embedded, removeData, startEmbedded } from '../../src/database/embedded.ts'

export interface TestServer {
  url: string
  remove(): Promise<void>
}

/** Nothing here outlives the run: what a crash of the machine would cost need not be paid for. */
const UNSAFE = ['fsync', 'synchronous_commit', 'full_page_writes']

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
    const embedded = await startEmbedded({ dataDirectory })
    await makeUnsafe(embedded.url)
    return { url: embedded.url, remove: remove(embedded) }
  } catch (error) {
    await remove()()
    throw error
  }
}

async function makeUnsafe(url: string): Promise<void> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  for (const setting of UNSAFE) await client.query(`alter system set ${setting} = off`)
  await client.query('select pg_reload_conf()')
  await client.end()
}
