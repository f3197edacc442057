import fastJsonStringify from 'fast-json-stringify'
import { migrate } from '../src/database/migrate.ts'
import { listProjectTasks, readTask } from '../src/domains/tasks/queries/read.ts'
import { updateTaskRows } from '../src/domains/tasks/queries/write.ts'
import { TaskList } from '../src/domains/tasks/schemas.ts'
import { type BenchServer, withClient, withServer } from './database.ts'
import { type Setup, setups, transactions } from './fast-path/setups.ts'
import { numberOptions } from './options.ts'
import { drawTargets, seed, type Target, type Targets } from './seed.ts'
import { median } from './statistics.ts'

const DATABASE = 'lintel_bench_fast_path'
const TASKS = 10_000
const CALLERS = 32
const LIMIT = 20

const { rounds, calls } = numberOptions({ rounds: 15, calls: 20_000 })

type Call = (n: number) => Promise<unknown>

const stringify = fastJsonStringify(TaskList as object)
const targetOf = (targets: Target[], n: number) => {
  const { id, userId } = targets[n % targets.length] as Target
  return { id, principalId: userId }
}

function readsOf({ statements }: Setup, { tasks }: Targets): Call {
  return async n => {
    if ((await readTask(statements, targetOf(tasks, n))) === undefined) throw new Error('no task')
  }
}

/** Reads lists, up to the JSON of the response. */
function listsOf({ statements }: Setup, { projects }: Targets): Call {
  return async n => {
    const { id, principalId } = targetOf(projects, n)
    const list = await listProjectTasks(statements, { projectId: id }, { principalId }, { limit: LIMIT })
    if (list === undefined) throw new Error('no list')
    return Array.isArray(list.data) ? stringify(list) : list.data.complete('{}')
  }
}

/** Returns the CPU time of this process in microseconds per call, with that many concurrent callers. */
async function cpuOf(call: Call, count: number, callers: number): Promise<number> {
  const before = process.cpuUsage()
  let next = 0
  const caller = async () => {
    while (next < count) await call(next++)
  }
  await Promise.all(Array.from({ length: callers }, caller))
  const { user, system } = process.cpuUsage(before)
  return (user + system) / count
}

/** Prints the medians of rounds that run in turns, so that other load on the machine affects all. */
async function compare(title: string, works: Map<string, Call>, count: number, callers = CALLERS): Promise<void> {
  const found = new Map([...works.keys()].map(name => [name, [] as number[]]))
  for (let round = 0; round <= rounds; round++)
    for (const [name, call] of works) {
      const micros = await cpuOf(call, count, callers)
      if (round > 0) found.get(name)?.push(micros)
    }
  console.log(`\n${title}, CPU µs of the process for each, median of ${rounds} rounds`)
  for (const [name, micros] of found) console.log(`${median(micros).toFixed(1).padStart(8)}  ${name}`)
}

async function compareStatements(url: string, targets: Targets): Promise<void> {
  const opened = await Promise.all(Object.entries(setups).map(async ([name, open]) => [name, await open(url)] as const))
  const worksOf = (of: typeof readsOf, names = opened) =>
    new Map(names.map(([name, setup]) => [name, of(setup, targets)]))
  await compare('A read by id', worksOf(readsOf), calls)
  // Pages that share a statement can only be separated while the rows arrive.
  const listing = opened.filter(([name]) => !name.startsWith('all, but'))
  await compare(`A list of ${LIMIT}`, worksOf(listsOf, listing), calls / 10)
  for (const [, { close }] of opened) await close()
}

/** Measures transactions one after another: begin, one update that returns its row, commit. */
async function compareTransactions(url: string, { tasks }: Targets): Promise<void> {
  const opened = await Promise.all([false, true].map(fastPath => transactions(url, { fastPath })))
  const [plain, fast] = opened.map(
    ({ client, tx }): Call =>
      async n => {
        await client.query('begin')
        const changes = JSON.stringify([{ id: targetOf(tasks, n).id, priority: n % 4 }])
        await updateTaskRows(tx, { changes, projectId: null, ifMatch: null })
        await client.query('commit')
      },
  )
  const works = new Map([
    ['rows by the driver', plain as Call],
    ['rows as they come', fast as Call],
  ])
  await compare('A transaction of one update', works, calls / 20, 1)
  for (const { close } of opened) await close()
}

async function prepare(server: BenchServer): Promise<{ url: string; targets: Targets }> {
  const url = await server.create(DATABASE)
  await migrate(url)
  const targets = await withClient(url, async client => {
    await seed(client, TASKS)
    return drawTargets(client)
  })
  return { url, targets }
}

await withServer(async server => {
  const { url, targets } = await prepare(server)
  try {
    await compareStatements(url, targets)
    await compareTransactions(url, targets)
  } finally {
    await server.drop(DATABASE)
  }
})
