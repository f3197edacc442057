import { and, eq, sql } from 'drizzle-orm'
import { defineList } from '../../../database/list.ts'
import { one, type Params, statement } from '../../../database/statement.ts'
import { users } from '../../users/tables.ts'
import { Identity } from '../schemas/identities.ts'
import { identities } from '../tables.ts'

/** The account at a provider, by the provider's id of it. */
export interface Subject {
  provider: Identity['provider']
  subject: string
}

const columns = {
  id: identities.id,
  userId: identities.userId,
  provider: identities.provider,
  subject: identities.subject,
  createdAt: identities.createdAt,
}

/**
 * Locks the subject until the transaction ends, whether or not it has a row: no other transaction signs in with it or
 * links it.
 */
export const lockSubject = statement(
  'identities.lock_subject',
  (_, $: Params<Subject>) => sql`
    select pg_advisory_xact_lock(hashtextextended(${$.provider}::text || ' ' || ${$.subject}::text, 0))`,
)

export const findIdentity = one(
  statement('identities.find', (db, $: Params<Subject>) =>
    db
      .select(columns)
      .from(identities)
      .where(and(eq(identities.provider, $.provider), eq(identities.subject, $.subject))),
  ),
)

export const insertIdentity = one(
  statement('identities.insert', (db, $: Params<Subject & { id: string; userId: string }>) =>
    db
      .insert(identities)
      .values({ id: $.id, userId: $.userId, provider: $.provider, subject: $.subject })
      .returning(columns),
  ),
)

export const deleteIdentity = one(
  statement('identities.delete', (db, $: Params<{ id: string; userId: string }>) =>
    db
      .delete(identities)
      .where(and(eq(identities.id, $.id), eq(identities.userId, $.userId)))
      .returning(columns),
  ),
)

/** Returns the user's id when a password or an identity is left to sign in with. */
export const findWayIn = one(
  statement(
    'identities.way_in',
    (_, $: Params<{ userId: string }>) => sql<{ id: string }>`
      select id from ${users} u where id = ${$.userId}
        and (password_hash is not null or exists (select from ${identities} where user_id = u.id))`,
  ),
)

const byId = { on: identities.id, key: 'id', type: 'uuid' } as const

export const listIdentities = defineList<Identity, { userId: string }>({
  name: 'identities.list',
  item: Identity,
  columns: sql`id, provider, subject, created_at`,
  from: sql`${identities}`,
  where: $ => eq(identities.userId, $.userId),
  id: byId,
  sorts: { createdAt: byId },
  defaultSort: '-createdAt',
})
