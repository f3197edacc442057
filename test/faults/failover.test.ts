import t, { type Test } from 'tap'
import { migrate } from '../../src/database/migrate.ts'
import { appOn, listen } from '../helpers/app.ts'
import { eventually } from '../helpers/mail.ts'
import { Cluster, withoutClusters } from './cluster.ts'
import { startProxy } from './proxy.ts'
import { Readers } from './readers.ts'

const DATABASE = 'lintel'
/** The number of events that all readers received but the standby did not. */
const LOST = 5
const skip = withoutClusters

/** Starts a service with its database behind a proxy, and a standby; all readers have read all events. */
async function replicated(t: Test) {
  const primary = await Cluster.create(t)
  await primary.createDatabase(DATABASE)
  await migrate(primary.urlOf(DATABASE))
  const proxy = await startProxy(t, primary.urlOf(DATABASE))
  const test = await appOn(t, proxy.url)
  const base = await listen(test.app)
  const readers = await Readers.of(t, test, base)
  const standby = await primary.standby(t)
  const moved = async () => {
    proxy.moveTo(standby.urlOf(DATABASE))
    await eventually(async () => (await test.app.inject('/health/ready')).statusCode === 200, 'it has connected again')
  }
  return { primary, standby, test, base, readers, moved }
}

t.test(
  'a standby reads while it only reads, and is promoted under open connections: every reader goes on',
  { skip },
  async t => {
    const { primary, standby, test, base, readers, moved } = await replicated(t)
    await standby.caughtUp(primary)
    await primary.stop('immediate')
    await moved()
    const refused = await readers.attempt(test)
    t.equal(refused.status, 503, 'a write is refused for now')
    t.ok(refused.headers['retry-after'])
    t.same(await readers.feed(test), readers.written, 'the feed is read')
    await standby.promote()
    await eventually(async () => (await readers.attempt(test)).status === 201, 'writes are taken')
    await readers.read(test)
    await readers.goOn(t, test, base)
  },
)

t.test('a standby that lost the last events is promoted: who had read them goes on behind them', { skip }, async t => {
  const { primary, standby, test, base, readers, moved } = await replicated(t)
  await standby.caughtUp(primary)
  await standby.stop('fast')
  const kept = [...readers.written]
  await readers.write(test, LOST)
  await readers.read(test)
  await primary.stop('immediate')
  await standby.start(t)
  await standby.promote()
  await moved()
  await readers.goOn(t, test, base, kept)
})
