import t from 'tap'
import { promised } from '../helpers/promised.ts'
import { Client, keepBusy } from './client.ts'
import { Cluster, withoutClusters } from './cluster.ts'
import { startLintel } from './lintel.ts'
import { seeded } from './random.ts'
import { createTenant } from './tenant.ts'
import { Writes } from './writes.ts'

const DATABASE = 'lintel'
const CLIENTS = 32
const WRITTEN = 300
const SERVED_BOUND_MS = promised(3_000, 12_000)
/** A commit waits until the standby has it, so that nothing that was acknowledged is lost with the primary. */
const SYNCHRONOUS = `-c synchronous_standby_names=*`

t.test(
  'the primary is killed and its standby promoted: who names both in DATABASE_URL goes on and has lost nothing',
  { skip: withoutClusters },
  async t => {
    const random = seeded(t)
    const primary = await Cluster.create(t)
    await primary.createDatabase(DATABASE)
    const standby = await primary.standby(t)
    await primary.stop('fast')
    await primary.start(t, SYNCHRONOUS)
    // The standby first: a start has to find the one that can be written to.
    const [, behind] = standby.urlOf(DATABASE).split('@') as [string, string]
    const [before, after] = primary.urlOf(DATABASE).split('@') as [string, string]
    const databaseUrl = `${before}@${behind.split('/')[0]},${after}?target_session_attrs=read-write`
    const lintel = await startLintel(t, { databaseUrl })
    const { token, projectId } = await createTenant(lintel.base)
    const client = new Client({ base: lintel.base, token, connections: CLIENTS })
    const writes = new Writes(client, projectId, random)
    const stop = keepBusy(CLIENTS, () => writes.any())
    while (writes.acknowledged < WRITTEN) await writes.read()
    await primary.stop('immediate')
    await standby.promote()
    const servedMs = await client.untilServed()
    await stop()
    client.close()

    t.comment(`${client.summary}; served ${Math.round(servedMs)} ms after the promotion`)
    t.strictSame(client.unexpected(200, 201, 409, 503), [], 'every answer is 2xx, 409 or 503')
    t.equal(client.withoutRetryAfter, 0, 'every 503 says when to come again')
    t.ok(servedMs < SERVED_BOUND_MS, 'it serves soon after the promotion')
    await writes.verifyAt(t, standby.urlOf(DATABASE))
    t.strictSame(lintel.faults(), [], 'no error in its log')
  },
)
