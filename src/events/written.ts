import { sql } from 'drizzle-orm'
import type { Database } from '../database/client.ts'
import { coalesce } from '../database/fast-path/coalesce.ts'
import { type Params, statement } from '../database/statement.ts'
import { events } from './tables.ts'

const writers = statement(
  'events.recent_writers',
  (_, $: Params<{ ids: string[]; seconds: number }>) => sql<{ n: number; recent: boolean }>`
    select asked.n::int as n, coalesce(last.created_at > now() - make_interval(secs => ${$.seconds}), false) as recent
    from unnest(${$.ids}::uuid[]) with ordinality asked(id, n)
    left join lateral (
      select created_at from ${events} where actor_id = asked.id order by position desc, seq desc limit 1
    ) last on true`,
)

/** Returns a function that tells whether a user or key has changed anything in the last `seconds`, on any process. */
export const recentWriters = (database: Database, seconds: number): ((id: string) => Promise<boolean>) =>
  coalesce(database, async (ids: readonly string[]) => {
    const answers = new Array<boolean>(ids.length).fill(false)
    for (const { n, recent } of await writers(database, { ids: [...ids], seconds })) answers[n - 1] = recent
    return answers
  })
