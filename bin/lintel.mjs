// Starts the server with the flags of V8 that suit it: for containers and unit files, in one word. Plain JavaScript, since
// any Node >= 20 may run it; the project's own goes on from here, in the same process where the system can do that.
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { constants } from 'node:os'
import { fileURLToPath } from 'node:url'

/** What each is for is written in docs/operations.md, "Start". */
const FLAGS = [
  '--max-semi-space-size=16',
  '--no-parallel-scavenge',
  '--heap-growing-percent=5',
  '--no-incremental-marking',
  '--no-maglev',
  '--v8-pool-size=1',
  '--expose-gc',
]
/** Runs TypeScript as it is. */
const OLDEST_NODE = 24
const FORWARDED = ['SIGINT', 'SIGTERM', 'SIGHUP']
/** What a shell adds to the number of the signal that ended a process. */
const BY_SIGNAL = 128

const own = fileURLToPath(
  new URL(`../node_modules/node/bin/node${process.platform === 'win32' ? '.exe' : ''}`, import.meta.url),
)
const node = existsSync(own) ? own : process.execPath
if (node !== own && Number.parseInt(process.versions.node, 10) < OLDEST_NODE) {
  console.error(`Lintel needs Node ${OLDEST_NODE}, and this is ${process.version}: npm ci --include=dev brings one.`)
  process.exit(1)
}

const preload = new URL('../src/preload.mjs', import.meta.url).href
const server = fileURLToPath(new URL('../src/server.ts', import.meta.url))
const args = [...FLAGS, ...process.execArgv, '--import', preload, server, ...process.argv.slice(2)]

if (process.execve && process.platform !== 'win32') process.execve(node, [node, ...args], process.env)
else attend(spawn(node, args, { stdio: 'inherit' }))

/** Where there is no exec (Node 20, Windows) this process stays, and ends as the other one does. */
function attend(child) {
  for (const signal of FORWARDED) process.on(signal, () => child.kill(signal))
  child.on('exit', (code, signal) => process.exit(code ?? BY_SIGNAL + constants.signals[signal]))
}
