import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import { constants, tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Embedded, EmbeddedError, removeData, startEmbedded } from '../src/database/embedded.ts'

const ROOT = fileURLToPath(new URL('..', import.meta.url))
const TAP = join(ROOT, 'node_modules', 'tap', 'dist', 'esm', 'run.mjs')
/** Every test file is a process that loads the whole application: compiled once, that costs a fifth less CPU. */
const COMPILED = join(ROOT, 'node_modules', '.cache', 'lintel-test')
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

interface TestDatabase {
  url: string
  remove(): Promise<void>
}

/** The server of `TEST_DATABASE_URL`, or a real one of our own for as long as the tests run. */
async function openDatabase(): Promise<TestDatabase> {
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
    return { url: embedded.url, remove: remove(embedded) }
  } catch (error) {
    await remove()()
    throw error
  }
}

const interrupted = new AbortController()
// From the first moment: an end while the database starts must not leave it behind.
for (const signal of SIGNALS) process.on(signal, () => interrupted.abort(signal))

/** Resolves with the exit code of tap, which gets the signals that we get. */
async function runTap(url: string, args: string[]): Promise<number> {
  const { signal: end } = interrupted
  if (end.aborted) return exitCodeOf(end.reason)
  const env = { NODE_COMPILE_CACHE: COMPILED, ...process.env, TEST_DATABASE_URL: url }
  const tap = spawn(process.execPath, [TAP, ...args], { cwd: ROOT, env, stdio: 'inherit' })
  end.addEventListener('abort', () => tap.kill(end.reason))
  const [code, signal] = (await once(tap, 'exit')) as [number | null, NodeJS.Signals | null]
  return code ?? exitCodeOf(signal as NodeJS.Signals)
}

const exitCodeOf = (signal: NodeJS.Signals): number => 128 + constants.signals[signal]

try {
  const { url, remove } = await openDatabase()
  try {
    process.exitCode = await runTap(url, process.argv.slice(2))
  } finally {
    await remove()
  }
} catch (error) {
  if (!(error instanceof EmbeddedError)) throw error
  console.error(error.message)
  process.exitCode = 1
}
