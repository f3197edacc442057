// Starts the server with the right V8 flags; meant for containers and unit files. It is plain JavaScript, since any
// Node >= 20 may run it. It then starts the project's own Node, in the same process (exec) where the system supports
// that.
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { constants } from 'node:os'
import { fileURLToPath } from 'node:url'

/** docs/operations.md, "Start", explains each flag. */
const FLAGS = [
  '--max-semi-space-size=16',
  '--no-parallel-scavenge',
  '--heap-growing-percent=5',
  '--no-incremental-marking',
  '--no-maglev',
  '--v8-pool-size=1',
  '--expose-gc',
]
/** The first major version that runs TypeScript directly. */
const OLDEST_NODE = 24
const FORWARDED = ['SIGINT', 'SIGTERM', 'SIGHUP']
/** A shell reports a process that a signal ended as 128 plus the number of the signal. */
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

/** Without exec (Node 20, Windows) this process stays, forwards signals to the child and exits with its code. */
function attend(child) {
  for (const signal of FORWARDED) process.on(signal, () => child.kill(signal))
  child.on('exit', (code, signal) => process.exit(code ?? BY_SIGNAL + constants.signals[signal]))
}
