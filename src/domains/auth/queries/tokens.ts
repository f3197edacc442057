import { and, eq, gt, sql } from 'drizzle-orm'
import { batchOf, deletionOf } from '../../../database/batches.ts'
import { one, type Params, statement } from '../../../database/statement.ts'
import { tokens } from '../tables.ts'

export type Purpose = (typeof tokens.$inferSelect)['purpose']

interface NewToken {
  hash: Buffer
  purpose: Purpose
  userId: string | null
  subject: string | null
  lifeSeconds: number
}

export const insertToken = statement(
  'tokens.insert',
  (_, $: Params<NewToken>) => sql`
    insert into ${tokens} (hash, purpose, user_id, subject, expires_at)
    values (${$.hash}, ${$.purpose}, ${$.userId}, ${$.subject}, now() + make_interval(secs => ${$.lifeSeconds}))`,
)

/** Returns the purpose, user and subject of a token without consuming it. */
export const findToken = one(
  statement('tokens.find', (db, $: Params<{ hash: Buffer }>) =>
    db
      .select({ purpose: tokens.purpose, userId: tokens.userId, subject: tokens.subject })
      .from(tokens)
      .where(and(eq(tokens.hash, $.hash), gt(tokens.expiresAt, sql`now()`))),
  ),
)

/** Consumes every token of the purpose if `hash` is a valid one of them, so that only one of several links works. */
export const takeTokensOf = statement(
  'tokens.take_all',
  (_, $: Params<{ hash: Buffer; purpose: Purpose }>) =>
    sql<{ hash: Buffer }>`
    delete from ${tokens} where purpose = ${$.purpose} and exists (
      select from ${tokens} t where t.hash = ${$.hash} and t.purpose = ${$.purpose} and t.expires_at > now())
    returning hash`,
)

/** Consumes the token; a second call returns undefined. */
export const takeToken = one(
  statement('tokens.take', (db, $: Params<{ hash: Buffer; purpose: Purpose }>) =>
    db
      .delete(tokens)
      .where(and(eq(tokens.hash, $.hash), eq(tokens.purpose, $.purpose), gt(tokens.expiresAt, sql`now()`)))
      .returning({ userId: tokens.userId, subject: tokens.subject }),
  ),
)

export const deleteTokens = statement(
  'tokens.delete',
  (_, $: Params<{ userId: string; purposes: Purpose[] }>) =>
    sql`delete from ${tokens} where user_id = ${$.userId} and purpose = any(${$.purposes}::text[])`,
)

export const deleteExpiredTokens = batchOf(
  statement('tokens.delete_expired', () => deletionOf(tokens, sql`expires_at <= now()`)),
)
