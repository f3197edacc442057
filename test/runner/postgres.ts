import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Embedded, removeData, startEmbedded } from '../../src/database/embedded.ts'

export interface TestServer {
  url: string
  remove(): Promise<void>
}

const SETTINGS = {
  // The data need not survive a crash, because nothing here is kept after the run.
  fsync: 'off',
  synchronous_commit: 'off',
  full_page_writes: 'off',
  // Several files run at once, and one of them may start two processes with a large pool each.
  max_connections: '300',
}

/** Returns the server of `TEST_DATABASE_URL`, or starts an embedded one for the duration of the tests. */
export async function openServer(): Promise<TestServer> {
  const url = process.env.TEST_DATABASE_URL
  if (url) return { url, remove: async () => {} }

  const dataDirectory = mkdtempSync(join(tmpdir(), 'lintel-test-'))
  // When the tests run as root, PostgreSQL runs as another user, who must be able to enter the folder.
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
