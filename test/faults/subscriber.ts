import { sql } from 'drizzle-orm'
import { buildApp } from '../../src/app.ts'
import { loadConfig } from '../../src/config.ts'
import { type Params, statement } from '../../src/database/statement.ts'

/** A worker with one subscriber, which stores a row for each event that it receives. */
const config = loadConfig()
const app = await buildApp({ ...config, databaseUrl: config.databaseUrl as string })
const deliver = statement(
  'fault.deliver',
  (_, $: Params<{ ids: string[] }>) => sql`insert into fault_deliveries select unnest(${$.ids}::uuid[])`,
)
app.relay.subscribe('fault', async (tx, events) => {
  await deliver(tx, { ids: events.map(event => event.id) })
})
await app.ready()
