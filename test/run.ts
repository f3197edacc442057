import { EmbeddedError } from '../src/database/embedded.ts'
import { changedFiles, reachOf } from './runner/changes.ts'
import { Coverage } from './runner/coverage.ts'
import { type Choice, chooseFiles } from './runner/files.ts'
import { Graph } from './runner/graph.ts'
import { remember } from './runner/order.ts'
import { runAll } from './runner/pool.ts'
import { openServer } from './runner/postgres.ts'
import type { Environment } from './runner/process.ts'
import { print, summarize } from './runner/report.ts'

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

const interrupted = new AbortController()
// Registered first: a signal while the database starts must not leave it running.
for (const signal of SIGNALS) process.on(signal, () => interrupted.abort(signal))

/** Returns the files to run, and the environment that limits the generated tests. */
function select({ files, unit, database, changed }: Choice, graph: Graph): { files: string[]; env: Environment } {
  const suited = files.filter(file => !(graph.needsDatabase(file) ? unit : database))
  if (!changed) return { files: suited, env: {} }
  const reach = reachOf(graph, suited, changedFiles())
  for (const reason of reach.why) console.log(`# ${reason}`)
  if (!reach.operations) return { files: reach.files, env: {} }
  console.log(`# of the generated tests those of operations on ${reach.operations.join(', ')}`)
  return { files: reach.files, env: { TEST_OPERATIONS: reach.operations.join() } }
}

async function main(): Promise<boolean> {
  const started = performance.now()
  const choice = chooseFiles(process.argv.slice(2))
  const graph = new Graph()
  const { files, env } = select(choice, graph)
  const coverage = choice.coverage ? new Coverage() : undefined
  const server = files.some(file => graph.needsDatabase(file)) ? await openServer() : undefined
  try {
    const database = server ? { TEST_DATABASE_URL: server.url } : {}
    const all = { ...process.env, ...env, ...database, ...coverage?.env }
    const runs = await runAll(files, all, interrupted.signal, (run, number) => {
      print(run, number, choice.verbose)
      coverage?.shrink()
    })
    remember(runs)
    await coverage?.print()
    summarize(runs, performance.now() - started)
    return runs.length >= files.length && runs.every(({ passed }) => passed)
  } finally {
    await server?.remove()
    coverage?.remove()
  }
}

try {
  process.exitCode = (await main()) ? 0 : 1
} catch (error) {
  if (!(error instanceof EmbeddedError)) throw error
  console.error(error.message)
  process.exitCode = 1
}
