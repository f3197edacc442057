import t, { type Test } from 'tap'
import { migrate } from '../../src/database/migrate.ts'
import { createKey, createOrganization } from '../helpers/actors.ts'
import { anotherNode, appOn } from '../helpers/app.ts'
import { type Credentials, call } from '../helpers/call.ts'
import { createProject, createTask } from '../helpers/factories.ts'
import { eventually } from '../helpers/mail.ts'
import { Cluster, withoutClusters } from './cluster.ts'
import { connect } from './postgres.ts'

const DATABASE = 'lintel'
const LAG_MS = 1_000
/** How often a change is read back; `FAULT_READS=100000` for the long run. */
const READS = Number(process.env.FAULT_READS ?? 600)
const WRITERS = 6
const LAGS = ['0', '100ms', '700ms', '10s', '0']
const skip = withoutClusters

/** Starts two processes on a primary and its replica, which the returned functions make late. */
async function replicated(t: Test) {
  const primary = await Cluster.create(t)
  await primary.createDatabase(DATABASE)
  await migrate(primary.urlOf(DATABASE))
  const replica = await primary.standby(t)
  const replicas = { urls: [replica.urlOf(DATABASE)], lagMs: LAG_MS }
  const test = await appOn(t, primary.urlOf(DATABASE), { replicas })
  const other = await anotherNode(t, test)
  const onReplica = async (...texts: string[]) => {
    const client = await connect(replica.urlOf('postgres'))
    for (const text of texts) await client.query(text)
    await client.end()
  }
  const nodes = [test.app, other] as const
  const usable = async (count: number, node = other) =>
    eventually(async () => (await metric(node, 'database_replicas_usable')) === count, `${count} replicas`)
  await Promise.all(nodes.map(node => usable(1, node)))
  return {
    ...{ test, other, primary, replica, usable },
    delay: (by: string) =>
      onReplica(
        `alter system set recovery_min_apply_delay = '${by}'`,
        'select pg_reload_conf()',
        'select pg_sleep(0.05)',
      ),
    pause: () => onReplica('select pg_wal_replay_pause()'),
    resume: () => onReplica('select pg_wal_replay_resume()'),
  }
}

type Node = Parameters<typeof call>[0]

async function metric(app: Node, name: string): Promise<number> {
  const { payload } = await app.inject('/metrics')
  return Number(new RegExp(`^${name.replace(/[{}]/g, '\\$&')} (\\S+)`, 'm').exec(payload)?.[1] ?? 0)
}
const answered = (app: Node) => metric(app, 'database_replica_reads_total{outcome="answered"}')

t.test(
  'who has changed something reads it at once on another process, however late the replica is',
  { skip },
  async t => {
    const { test, other, delay } = await replicated(t)
    const { id, member } = await createOrganization(test)
    const projectId = await createProject(test, { organizationId: id })
    const key = await createKey(test, id, 'tasks:read', 'tasks:write')
    const reader = await createKey(test, id, 'tasks:read')
    let stale = 0
    let reads = 0

    /** Changes a task on one process and reads it, and its list, on the other; with the header or without. */
    async function changeAndRead(as: Credentials, withHeader: boolean, n: number, taskId: string) {
      const title = `Title ${n}`
      const changed = await call(test.app, `PATCH /tasks/${taskId}`, { as, body: { title } })
      const position = changed.headers['write-position']
      if (typeof position !== 'string') throw new Error(`no position: ${changed.status}`)
      const headers: Record<string, string> = withHeader ? { 'write-position': position } : {}
      const [one, list] = await Promise.all([
        call(other, `GET /tasks/${taskId}`, { as, headers }),
        call(other, `GET /projects/${projectId}/tasks?limit=100`, { as, headers }),
      ])
      reads += 2
      const listed = list.body.data.find((task: { id: string }) => task.id === taskId)
      if (one.body.title !== title || listed?.title !== title) stale++
    }

    const tasks = await Promise.all(Array.from({ length: WRITERS }, () => createTask(test, { projectId })))
    for (const lag of LAGS) {
      await delay(lag)
      await Promise.all(
        tasks.map(async (taskId, writer) => {
          for (let n = 0; n < READS / LAGS.length / WRITERS / 2; n++) {
            await changeAndRead(writer % 2 ? { headers: { ...key.headers } } : member, writer % 3 === 0, n, taskId)
            await call(other, `GET /tasks/${taskId}`, { as: { headers: { ...reader.headers } } })
          }
        }),
      )
    }
    t.equal(stale, 0, `none of ${reads} reads was stale`)
    t.ok((await answered(other)) > 0, 'the replica answered')
  },
)

t.test(
  'access is decided by the primary, and what a replica does not have yet the primary is asked for',
  { skip },
  async t => {
    const { test, other, pause, resume, usable } = await replicated(t)
    const { id, member, viewer } = await createOrganization(test)
    const projectId = await createProject(test, { organizationId: id })
    const taskId = await createTask(test, { projectId })
    const path = `GET /tasks/${taskId}`
    await eventually(async () => {
      const before = await answered(other)
      t.equal((await call(other, path, { as: viewer })).status, 200)
      return (await answered(other)) > before
    }, 'a replica answers a viewer')

    await usable(1)
    await pause()
    const newer = await createTask(test, { projectId, title: 'Newer' })
    t.equal((await call(other, `GET /tasks/${newer}`, { as: viewer })).body.title, 'Newer', 'a row that it lacks')
    await test.sql('delete from members where organization_id = $1 and user_id = $2', [id, viewer.id])
    t.equal((await call(other, path, { as: viewer })).status, 404, 'a member who was removed reads nothing more')
    t.equal((await call(other, `GET /projects/${projectId}/tasks`, { as: viewer })).status, 404)
    await usable(0)
    t.equal((await call(other, path, { as: member })).status, 200, 'a late replica is not asked')
    await resume()
    await usable(1)
  },
)

t.test('a replica that is killed or silent fails no read, is left out, and comes back', { skip }, async t => {
  const { test, other, replica, usable } = await replicated(t)
  const { id, viewer } = await createOrganization(test)
  const projectId = await createProject(test, { organizationId: id })
  const taskId = await createTask(test, { projectId })
  const statuses = new Map<number, number>()
  let reading = true
  const readers = Array.from({ length: 8 }, async () => {
    while (reading) {
      const { status } = await call(other, `GET /tasks/${taskId}`, { as: viewer })
      statuses.set(status, (statuses.get(status) ?? 0) + 1)
    }
  })
  await eventually(async () => (await answered(other)) > 0, 'the replica answers')
  await replica.stop('immediate')
  await usable(0)
  await replica.start(t)
  await usable(1)
  const thaw = await replica.freeze()
  await usable(0)
  thaw()
  await usable(1)
  const before = await answered(other)
  await eventually(async () => (await answered(other)) > before, 'the replica answers again')
  reading = false
  await Promise.all(readers)
  t.same([...statuses.keys()], [200], `${statuses.get(200)} reads`)
})

t.test('a start needs no replica', { skip }, async t => {
  const { test, replica } = await replicated(t)
  await replica.stop('fast')
  const node = await anotherNode(t, test)
  t.equal((await node.inject('/health/ready')).statusCode, 200)
  await replica.start(t)
  await eventually(async () => (await metric(node, 'database_replicas_usable')) === 1, 'it is found later')
})
