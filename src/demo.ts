import { sql } from 'drizzle-orm'
import type { FastifyInstance } from 'fastify'
import { one, statement } from './database/statement.ts'
import { demoUserId } from './domains/users/demo.ts'
import { users } from './domains/users/tables.ts'
import { bySystem, onBehalfOf } from './events/caller.ts'

const isUsed = one(
  statement('demo.is_used', () => sql<{ used: boolean }>`select exists (select from ${users}) as used`),
)

/** Loads the demo data of every domain into an unused database; returns whether it did. */
export function loadDemo(app: FastifyInstance): Promise<boolean> {
  return app.database.transaction(async tx => {
    if ((await isUsed(tx, {}))?.used) return false
    const caller = onBehalfOf(bySystem(tx), demoUserId)
    for (const { demo } of app.domains) await demo?.insert?.(tx, caller, app)
    return true
  })
}
