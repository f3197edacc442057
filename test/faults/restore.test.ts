import t, { type Test } from 'tap'
import { migrate } from '../../src/database/migrate.ts'
import { appOn, listen } from '../helpers/app.ts'
import { eventually } from '../helpers/mail.ts'
import { Cluster, withoutClusters } from './cluster.ts'
import { type PostgresProxy, startProxy } from './proxy.ts'
import { Readers } from './readers.ts'

const DATABASE = 'lintel'
/** The transaction ids of the source are far above those of a new cluster, as after years of use. */
const ID_EPOCH = { fresh: 0, source: 5, above: 9 }
/** Events of which the archive of the log has the only copy, and those that the recovery leaves out. */
const AFTER_BACKUP = 4
const MISTAKES = 5
const skip = withoutClusters

interface Source {
  /** Returns the URL that the service uses for the cluster. */
  url?: (cluster: Cluster) => Promise<string>
  fastPath?: boolean
  settings?: string
}

/** Creates a cluster with events that all readers have read. */
async function source(
  t: Test,
  { url = async cluster => cluster.urlOf(DATABASE), fastPath = true, settings = '' }: Source = {},
) {
  const cluster = await Cluster.create(t, { idEpoch: ID_EPOCH.source, settings })
  await cluster.createDatabase(DATABASE)
  await migrate(cluster.urlOf(DATABASE))
  const test = await appOn(t, await url(cluster), { databaseFastPath: fastPath })
  const base = await listen(test.app)
  return { cluster, test, base, readers: await Readers.of(t, test, base) }
}

for (const [where, idEpoch] of [
  ['a fresh cluster, whose transaction ids begin low', ID_EPOCH.fresh],
  ['a cluster whose transaction ids are far above', ID_EPOCH.above],
] as const)
  t.test(`pg_dump, pg_restore into ${where}, and a new start: every reader goes on`, { skip }, async t => {
    const { cluster, test, readers } = await source(t)
    const fresh = await Cluster.create(t, { idEpoch })
    await cluster.restoreTo(fresh, DATABASE)
    await migrate(fresh.urlOf(DATABASE))
    const restored = await appOn(t, fresh.urlOf(DATABASE), test.config)
    await readers.goOn(t, restored, await listen(restored.app))
  })

t.test('a base backup recovered to the moment before a mistake: every reader goes on', { skip }, async t => {
  const archive = Cluster.archive(t)
  const { cluster, test, readers } = await source(t, { settings: Cluster.archivingTo(archive) })
  const recoveredTo = await cluster.backup(t, archive)
  await readers.write(test, AFTER_BACKUP)
  await readers.read(test)
  const kept = [...readers.written]
  const before = await cluster.now()
  await readers.write(test, MISTAKES)
  await readers.read(test)
  const recovered = await recoveredTo(before)
  await cluster.stop('immediate')
  await migrate(recovered.urlOf(DATABASE))
  const restored = await appOn(t, recovered.urlOf(DATABASE), test.config)
  await readers.goOn(t, restored, await listen(restored.app), kept)
})

for (const fastPath of [true, false]) {
  const way = fastPath ? 'on the fast path' : 'by the driver alone'
  t.test(`a process that stays, ${way}, while its database moves to another cluster`, { skip }, async t => {
    let proxy: PostgresProxy | undefined
    const url = async (cluster: Cluster) => {
      proxy = await startProxy(t, cluster.urlOf(DATABASE))
      return proxy.url
    }
    const { cluster, test, base, readers } = await source(t, { url, fastPath })
    const fresh = await Cluster.create(t)
    await cluster.restoreTo(fresh, DATABASE)
    proxy?.moveTo(fresh.urlOf(DATABASE))
    await eventually(async () => (await test.app.inject('/health/ready')).statusCode === 200, 'it has connected again')
    await readers.goOn(t, test, base)
    await readers.stream.has(readers.written.length)
    t.same(readers.stream.targets, readers.written, 'an open stream goes on as well')
  })
}
