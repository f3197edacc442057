import { sql } from 'drizzle-orm'
import { one, type Params, statement } from '../../../database/statement.ts'
import { webhooks } from '../tables.ts'
import type { WebhookRow } from './webhooks.ts'

interface Rotation {
  id: string
  secret: Buffer
  overlapSeconds: number
}

/** Replaces the secret. The current one becomes the previous one; an older previous one is lost. */
export const rotateSecret = one(
  statement(
    'webhooks.rotate_secret',
    (_, $: Params<Rotation>) => sql<WebhookRow>`
      update ${webhooks} set secret = ${$.secret},
        previous_secret = case when ${$.overlapSeconds}::int > 0 then secret end,
        previous_secret_expires_at = case when ${$.overlapSeconds}::int > 0
          then now() + make_interval(secs => ${$.overlapSeconds}::int) end,
        version = version + 1, updated_at = now()
      where id = ${$.id}
      returning id, organization_id, url, event_types, description, enabled, disabled_at, disabled_reason,
        previous_secret_expires_at, created_by, version, created_at, updated_at`,
  ),
)

/** The secrets of a webhook as they are stored; `previousSecret` may have expired. */
export interface StoredSecrets {
  id: string
  secret: Buffer
  previousSecret: Buffer | null
}

/** Finds secrets that another key than the first one wrote: `prefix` begins what the first key writes. */
export const lockOutdatedSecrets = statement(
  'webhooks.lock_outdated_secrets',
  (_, $: Params<{ prefix: Buffer; limit: number }>) => sql<StoredSecrets>`
    select id, secret, previous_secret from ${webhooks}
    where substring(secret from 1 for length(${$.prefix}::bytea)) <> ${$.prefix}::bytea
      or substring(previous_secret from 1 for length(${$.prefix}::bytea)) <> ${$.prefix}::bytea
    limit ${$.limit} for no key update skip locked`,
)

/** Does not change the version: the secrets stay the same. */
export const storeSecrets = statement(
  'webhooks.store_secrets',
  (_, $: Params<StoredSecrets>) => sql`
    update ${webhooks} set secret = ${$.secret}, previous_secret = ${$.previousSecret} where id = ${$.id}`,
)

/** Deletes secrets that no longer sign. `previous_secret_expires_at` stays: it says when that ended. */
export const deleteExpiredSecrets = statement(
  'webhooks.delete_expired_secrets',
  () => sql`
    update ${webhooks} set previous_secret = null
    where previous_secret is not null and previous_secret_expires_at <= now()`,
)
