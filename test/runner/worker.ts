import { registerHooks } from 'node:module'
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { inspect } from 'node:util'
import { Test, type TestOpts } from 'tap'
import { ROOT } from './files.ts'

/**
 * The process of test files: runs each file whose name it is sent, and writes its result as TAP with `TEST_END` behind
 * it. What several files load, start or warm up, is paid once: the application alone takes 1 s of CPU.
 */
const { TEST_END, TEST_LIMIT_MS, TEST_LEFT_OPEN_MS } = process.env
const TAP_OF = 'tap-of:'
/** How long the process waits for what its files have left open, before it says so and ends. */
const LEFT_OPEN_MS = Number(TEST_LEFT_OPEN_MS ?? 30_000)

let running: { test: Test; url: string } | undefined

// A file that imports `tap` gets a test of its own instead of the one that stands for the process.
registerHooks({
  resolve: (specifier, context, next) =>
    specifier === 'tap' && context.parentURL === running?.url
      ? { url: TAP_OF + running?.url, shortCircuit: true }
      : next(specifier, context),
  load: (url, context, next) =>
    url.startsWith(TAP_OF)
      ? { format: 'module', source: 'export default globalThis.testOfFile', shortCircuit: true }
      : next(url, context),
})

async function run(file: string): Promise<void> {
  const url = pathToFileURL(resolve(ROOT, file)).href
  const options: TestOpts = { name: file, timeout: Number(TEST_LIMIT_MS), cb: () => import(url) }
  const test = new Test(options)
  running = { test, url }
  Object.assign(globalThis, { testOfFile: test })
  test.on('data', chunk => process.stdout.write(chunk))
  test.on('timeout', () => process.stdout.write(`# waits for: ${openResources()}\n`))
  await new Promise<void>(done => test.runMain(done))
  process.stdout.write(`# ${inspect(test.counts.toJSON(), { breakLength: Infinity })}\n${TEST_END}`)
}

const openResources = () => process.getActiveResourcesInfo().join(', ')

function end(): void {
  process.disconnect()
  setTimeout(() => {
    console.error(`# does not end because of: ${openResources()}`)
    process.exit(1)
  }, LEFT_OPEN_MS).unref()
}

// The name of a file, or an empty one when there is none left. An end by the runner would never be told to it as one:
// Node emits no `close` for a child whose channel the parent has closed.
process.on('message', (file: string) => (file === '' ? end() : run(file)))
