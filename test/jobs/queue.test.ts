import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import type { Transaction } from '../../src/database/client.ts'
import { defineJob } from '../../src/jobs/define.ts'
import { Jobs } from '../../src/jobs/queue.ts'
import { testApp } from '../helpers/app.ts'
import { eventually } from '../helpers/mail.ts'

interface Numbered {
  n: number
}

const test = await testApp(t)
const { sql, config } = test
const { database } = test.app
await sql('create table effects (n integer not null)')
const log = { warn() {} }
const effect = (tx: Transaction, n: number) => tx.execute('insert into effects (n) values ($1)', [n])
const effects = async (): Promise<number[]> =>
  (await sql('select n from effects order by n')).map((row: Numbered) => row.n)
const states = async (name: string): Promise<string[]> =>
  (await sql('select state::text from jobs.job where name = $1 order by created_on', [name])).map(
    (row: { state: string }) => row.state,
  )

/** Starts a queue for this test with the given jobs. */
async function working(t: { teardown(done: () => Promise<void>): void }, prepare: (jobs: Jobs) => void, works = true) {
  const jobs = new Jobs(config.databaseUrl, { works, log, fastPath: true })
  prepare(jobs)
  await jobs.start({ works })
  let stopped: Promise<void> | undefined
  const stop = () => {
    stopped ??= jobs.stop()
    return stopped
  }
  t.teardown(stop)
  return Object.assign(jobs, { end: stop })
}

t.beforeEach(() => sql('delete from effects'))

t.test('a job exists when its transaction commits, and not otherwise', async t => {
  const job = defineJob<Numbered>('test.commit')
  const jobs = await working(t, queue => queue.handle(job, async () => {}), false)
  await database.transaction(tx => jobs.enqueue(tx, job, { n: 1 }))
  const failed = database.transaction(async tx => {
    await jobs.enqueue(tx, job, { n: 2 })
    throw new Error('rolled back')
  })
  await t.rejects(failed, { message: 'rolled back' })
  t.same(await sql(`select data from jobs.job where name = 'test.commit'`), [
    { data: { payload: { n: 1 }, traceparent: null } },
  ])
})

t.test('the effect of a transactional job happens once, whatever fails after it', async t => {
  const job = defineJob<Numbered>('test.once', { retry: { delaySeconds: 1 } })
  let attempts = 0
  const jobs = await working(t, queue =>
    queue.handle(job, async ({ n }, tx) => {
      await effect(tx, n)
      if (++attempts < 3) throw new Error('after its effect')
    }),
  )
  await database.transaction(tx => jobs.enqueue(tx, job, { n: 7 }))
  await eventually(async () => (await states('test.once')).includes('completed'), 'the job is done')
  t.equal(attempts, 3)
  t.same(await effects(), [7])
})

t.test('two workers never do the same job', async t => {
  const job = defineJob<Numbered>('test.shared')
  const prepare = (queue: Jobs) => queue.handle(job, async ({ n }, tx) => void (await effect(tx, n)))
  const jobs = await working(t, prepare)
  await working(t, prepare)
  const wanted = Array.from({ length: 100 }, (_, n) => n)
  await database.transaction(async tx => {
    for (const n of wanted) await jobs.enqueue(tx, job, { n })
  })
  const start = Date.now()
  await eventually(async () => (await effects()).length >= wanted.length, 'all are done')
  t.same(await effects(), wanted)
  // If each of the two workers took one job at each poll, once a second, 100 jobs would take 50 s.
  t.ok(Date.now() - start < 40_000, `100 jobs took ${Date.now() - start} ms`)
})

t.test('retries wait longer each time; the last failure goes to the dead letters with its payload', async t => {
  const job = defineJob<Numbered>('test.dead', { retry: { limit: 2, delaySeconds: 1, maxDelaySeconds: 4 } })
  const attempts: number[] = []
  const jobs = await working(t, queue =>
    queue.handleOutside(job, async () => {
      attempts.push(Date.now())
      throw new Error('always')
    }),
  )
  await database.transaction(tx => jobs.enqueue(tx, job, { n: 13 }))
  const dead = () => sql(`select data from jobs.job where name = 'dead-letters'`)
  await eventually(async () => (await dead()).length > 0, 'a dead letter')
  t.same(await dead(), [{ data: { payload: { n: 13 }, traceparent: null } }])
  t.equal(attempts.length, 3)
  const [policy] = await sql(`select retry_limit, retry_backoff from jobs.queue where name = 'test.dead'`)
  t.match(policy, { retry_limit: 2, retry_backoff: true })
})

t.test('a handler hears of the trace of the request that made the job', async t => {
  const job = defineJob<Numbered>('test.trace')
  const traceparent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01'
  const heard: (string | null)[] = []
  const jobs = await working(t, queue =>
    queue.handle(job, async (_payload, _tx, context) => void heard.push(context.traceparent)),
  )
  await database.transaction(tx => jobs.enqueue(tx, job, { n: 1 }, traceparent))
  await eventually(async () => heard.length > 0, 'the job ran')
  t.same(heard, [traceparent])
})

t.test('what runs by schedule is registered once however many nodes start', async t => {
  const job = defineJob<Numbered>('test.cron')
  const prepare = (queue: Jobs) => {
    queue.handle(job, async () => {})
    queue.schedule(job, '17 * * * *', { n: 1 })
  }
  await working(t, prepare)
  await working(t, prepare)
  t.match(await sql(`select cron, timezone from jobs.schedule where name = 'test.cron'`), [{ cron: '17 * * * *' }])
})

t.test('a stop waits for the job in hand', async t => {
  const job = defineJob<Numbered>('test.stop')
  let begun = false
  const jobs = await working(t, queue =>
    queue.handle(job, async ({ n }, tx) => {
      begun = true
      await sleep(500)
      await effect(tx, n)
    }),
  )
  await database.transaction(tx => jobs.enqueue(tx, job, { n: 99 }))
  await eventually(async () => begun, 'the job has begun')
  await jobs.end()
  t.same(await effects(), [99])
})
