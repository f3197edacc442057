import { getTableName, type SQL, type SQLWrapper, sql } from 'drizzle-orm'
import type { PgTable } from 'drizzle-orm/pg-core'
import type { Database } from '../../../database/client.ts'
import { coalesce } from '../../../database/fast-path/coalesce.ts'
import { type Params, statement } from '../../../database/statement.ts'
import {
  type FindMembership,
  type Membership,
  type OrganizationRole,
  type Principal,
  rolesFrom,
} from '../../../lib/access.ts'
import { members } from '../tables.ts'

/**
 * A condition for statements that check access themselves: the principal is a member of `organization` with at least
 * the role `least`, or is the organization itself, as its API keys are. `exists` is cheaper here than a join. `offset
 * 0` keeps it one look-up for each row; otherwise the planner would read all members into a hash.
 */
export function hasRole(
  organization: SQLWrapper,
  { principalId }: Record<keyof Principal, SQLWrapper>,
  least: OrganizationRole,
): SQL {
  const roles = rolesFrom(least)
  const role = least === 'viewer' ? sql`` : sql` and m.role in (${sql.raw(roles.map(name => `'${name}'`).join(', '))})`
  return sql`(${organization} = ${principalId}::uuid or exists (
    select from ${members} m where m.organization_id = ${organization} and m.user_id = ${principalId}::uuid${role} offset 0))`
}

type Asked = { ids: string[]; userIds: (string | null)[] }

/**
 * Returns a function that finds the organization of a row of `table` and the role of a user in it. `column` holds the
 * organization. Concurrent look-ups share one statement.
 */
export function memberships(database: Database, table: PgTable, column: 'id' | 'organization_id'): FindMembership {
  const name = sql.identifier(column)
  const find = statement(
    `access.${getTableName(table)}`,
    (_, $: Params<Asked>) => sql<Membership & { n: number }>`
      select asked.n, t.${name} as organization_id, m.role
      from unnest(${$.ids}::uuid[], ${$.userIds}::uuid[]) with ordinality as asked(id, user_id, n)
      join ${table} t on t.id = asked.id
      left join ${members} m on m.organization_id = t.${name} and m.user_id = asked.user_id`,
  )
  const load = coalesce(database, async (keys: readonly { id: string; userId: string | null }[]) => {
    const answers = new Array<Membership | undefined>(keys.length).fill(undefined)
    const rows = await find(database, { ids: keys.map(key => key.id), userIds: keys.map(key => key.userId) })
    for (const row of rows) answers[row.n - 1] = row
    return answers as (Membership | Error)[]
  })
  return (id, userId) => load({ id, userId })
}
