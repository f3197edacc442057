import { setTimeout as sleep } from 'node:timers/promises'
import type pg from 'pg'
import { PgBoss } from 'pg-boss'
import t from 'tap'
import { newId } from '../../src/lib/ids.ts'
import { freePort } from '../helpers/ports.ts'
import { startLintel } from './lintel.ts'
import { connect, emptyDatabase } from './postgres.ts'
import { createTenant, type Tenant } from './tenant.ts'

/** A step erases 1,000 rows, so 2,500 need three steps. */
const TASKS = 2_500
const POLL_MS = 20
const BOUND_MS = 25_000

t.test(
  'kill -9 in the middle of a step: the deletion goes on after it and erases everything, counted right',
  async t => {
    const databaseUrl = await emptyDatabase(t)
    const port = await freePort()
    let lintel = await startLintel(t, { databaseUrl, port })
    const [doomed, other] = [await createTenant(lintel.base), await createTenant(lintel.base)]
    const [database, holder] = [await connect(databaseUrl), await connect(databaseUrl)]
    t.teardown(() => Promise.all([database.end(), holder.end()]))
    for (const { projectId } of [doomed, other]) await insertTasks(database, projectId)

    await holder.query('begin')
    await holder.query(`select from tasks where project_id = $1 order by id desc limit 1 for update`, [
      doomed.projectId,
    ])
    const asked = await ask(lintel.base, 'DELETE', `/organizations/${doomed.organizationId}`, doomed)
    await until('a step waits with rows erased', async () => {
      const { rows } = await database.query(`
      select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'
        and query like '%delete from "tasks"%'`)
      return rows.length > 0
    })
    await lintel.end('SIGKILL')
    await holder.query('rollback')
    await until('its transaction has ended', async () => (await inTransaction(database)) === 0)

    const { rows } = await database.query('select deleted_rows, completed_at from deletions where id = $1', [asked.id])
    t.same(rows, [{ deleted_rows: 2_000, completed_at: null }])
    t.equal(await rowsOf(database, doomed), TASKS + 1 - 2_000, 'no half step')
    await expireJobs(database, databaseUrl)
    lintel = await startLintel(t, { databaseUrl, port })
    const progress = () => ask(lintel.base, 'GET', `/deletions/${asked.id}`, doomed)
    await until('it is done', async () => (await progress()).status === 'completed')
    t.match(await progress(), { totalRows: TASKS + 1, deletedRows: TASKS + 1 })
    t.equal(await rowsOf(database, doomed), 0)
    t.equal(await rowsOf(database, other), TASKS + 1, 'another organization is as it was')
    t.equal((await database.query(`select from organizations where id = $1`, [doomed.organizationId])).rowCount, 0)
    t.equal((await database.query(`select from jobs.job where state = 'active' or name = 'dead-letters'`)).rowCount, 0)
  },
)

/** Inserts tasks in the order of their ids, so that a step meets them in the same order with and without an index. */
const insertTasks = (database: pg.Client, projectId: string) =>
  database.query(
    `insert into tasks (id, organization_id, project_id, title)
      select task, organization_id, id, 'Task' from projects, unnest($2::uuid[]) task where id = $1`,
    [projectId, Array.from({ length: TASKS }, newId)],
  )

async function rowsOf(database: pg.Client, { organizationId }: Tenant): Promise<number> {
  const { rows } = await database.query(
    `select (select count(*) from tasks where organization_id = $1)::int
      + (select count(*) from projects where organization_id = $1)::int as n`,
    [organizationId],
  )
  return rows[0].n
}

async function inTransaction(database: pg.Client): Promise<number> {
  const { rowCount } = await database.query(`
    select from pg_stat_activity
    where datname = current_database() and pid <> pg_backend_pid() and xact_start is not null and application_name = 'lintel'`)
  return rowCount as number
}

/** Makes the active jobs one minute older, so that the library finds them expired and repeats them. */
async function expireJobs(database: pg.Client, connectionString: string): Promise<void> {
  await database.query(`update jobs.job set started_on = started_on - interval '1 minute' where state = 'active'`)
  const boss = new PgBoss({ connectionString, schema: 'jobs', supervise: false, schedule: false })
  await boss.start()
  await boss.supervise()
  await boss.stop()
  await database.query(`update jobs.job set start_after = now() where state = 'retry'`)
}

async function ask(base: string, method: string, path: string, { token }: Tenant): Promise<Record<string, unknown>> {
  const answer = await fetch(`${base}/api/v1${path}`, { method, headers: { authorization: `Bearer ${token}` } })
  if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`)
  return answer.json() as Promise<Record<string, unknown>>
}

async function until(what: string, isTrue: () => Promise<boolean>): Promise<void> {
  const end = performance.now() + BOUND_MS
  while (!(await isTrue())) {
    if (performance.now() > end) throw new Error(`in vain: ${what}`)
    await sleep(POLL_MS)
  }
}
