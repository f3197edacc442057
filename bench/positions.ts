import { readFileSync } from 'node:fs'
import { type Executor, send } from '../src/database/executor.ts'
import { WireClient } from '../src/database/fast-path/wire.ts'
import { migrate } from '../src/database/migrate.ts'
import { insertTasks, type NewTask } from '../src/domains/tasks/queries/write.ts'
import type { Caller } from '../src/events/caller.ts'
import { newId } from '../src/lib/ids.ts'
import { withClient, withServer } from './database.ts'
import { numberOptions } from './options.ts'
import { drawTargets, seed, type Target } from './seed.ts'
import { median } from './statistics.ts'

const DATABASE = 'lintel_bench_positions'
const TASKS = 10_000
const MICROSECOND_NS = 1_000
const BATCHES = [1, 16]
/**
 * The defaults of an event's position that are compared: only the transaction id, as before there were epochs, and the
 * current one.
 */
const DEFAULTS = { 'transaction id': 'pg_current_xact_id()', epoch: 'event_position()' }

const { rounds, rows } = numberOptions({ rounds: 20, rows: 1_000 })

const caller = {
  actor: { type: 'user', id: newId() },
  address: '203.0.113.9',
  userAgent: 'bench',
  requestId: 'bench',
} as Caller

function newTask({ id: projectId, userId }: Target): NewTask {
  const createdAt = new Date().toISOString()
  const unset = { assigneeId: null, dueAt: null, completedAt: null, createdBy: userId }
  const text = { title: 'Check the joints of the frame', description: 'The lintel carries what stands above it.' }
  const task = {
    id: newId(),
    projectId,
    ...text,
    status: 'open',
    priority: 2,
    ...unset,
    createdAt,
    updatedAt: createdAt,
  }
  return { caller, principal: { principalId: userId }, task } as unknown as NewTask
}

/** Returns the CPU time of a backend (Linux only). */
const spentMicros = (pid: number): number =>
  Number(readFileSync(`/proc/${pid}/schedstat`, 'utf8').split(' ')[0]) / MICROSECOND_NS

/** Returns the CPU time of the backend in microseconds per row. */
async function costOf(on: Executor, pid: number, projects: Target[], batch: number): Promise<number> {
  const before = spentMicros(pid)
  for (let done = 0; done < rows; done += batch) {
    const targets = Array.from({ length: batch }, (_, n) => projects[(done + n) % projects.length] as Target)
    const { size } = await insertTasks(on, targets.map(newTask))
    if (size !== batch) throw new Error('a task was refused')
  }
  return (spentMicros(pid) - before) / rows
}

async function compare(client: WireClient, projects: Target[], batch: number): Promise<void> {
  const on: Executor = { coalesces: false, run: query => send(client, query) }
  const { rows: found } = await client.query('select pg_backend_pid() as pid')
  const costs = new Map(Object.keys(DEFAULTS).map(name => [name, [] as number[]]))
  for (let round = 0; round <= rounds; round++)
    for (const [name, expression] of Object.entries(DEFAULTS)) {
      await client.query(`alter table events alter column position set default ${expression}`)
      await insertTasks(on, [newTask(projects[0] as Target)])
      const cost = await costOf(on, found[0].pid, projects, batch)
      if (round > 0) costs.get(name)?.push(cost)
    }
  console.log(`\nCreates, ${batch} in a statement: CPU µs of the backend for each, median of ${rounds} rounds`)
  for (const [name, micros] of costs) console.log(`${median(micros).toFixed(1).padStart(8)}  ${name}`)
}

await withServer(async server => {
  const url = await server.create(DATABASE)
  await migrate(url)
  const { projects } = await withClient(url, async client => {
    await seed(client, TASKS)
    return drawTargets(client)
  })
  const client = new WireClient({ connectionString: url, options: '-c plan_cache_mode=force_generic_plan' })
  await client.connect()
  for (const batch of BATCHES) await compare(client, projects, batch)
  await client.end()
  await server.drop(DATABASE)
})
