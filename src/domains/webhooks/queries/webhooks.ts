import { type SQL, sql } from 'drizzle-orm'
import { one, type Params, statement, statements } from '../../../database/statement.ts'
import { defineResource } from '../../../events/resource.ts'
import { webhookEvents } from '../events.ts'
import { type DisabledReason, Webhook } from '../schemas/webhooks.ts'
import { webhooks } from '../tables.ts'

export type WebhookRow = Webhook & { version: number }

/** For what is plain; it reads no secret. */
export const webhookResource = defineResource({
  noun: 'webhook',
  collection: 'webhooks',
  parent: 'organization',
  table: webhooks,
  item: Webhook,
  events: webhookEvents,
})

/** The columns that responses may contain; never a secret. */
const columns = sql`id, organization_id, url, event_types, description, enabled, disabled_at, disabled_reason,
  previous_secret_expires_at, created_by, version, created_at, updated_at`

/** Every endpoint of an organization is a row in a shared statement for each of its events. */
export const MAX_WEBHOOKS = 50

interface NewWebhookRow {
  id: string
  organizationId: string
  url: string
  eventTypes: string[]
  description: string | null
  secret: Buffer
  createdBy: string | null
}

/** Returns nothing when the organization, which must be locked, has `MAX_WEBHOOKS`. */
export const insertWebhook = one(
  statement(
    'webhooks.insert_within_limit',
    (_, $: Params<NewWebhookRow>) => sql<WebhookRow>`
      insert into ${webhooks} (id, organization_id, url, event_types, description, secret, created_by)
      select ${$.id}::uuid, ${$.organizationId}::uuid, ${$.url}::text, ${$.eventTypes}::text[], ${$.description}::text,
        ${$.secret}::bytea, ${$.createdBy}::uuid
      where (select count(*) from ${webhooks} where organization_id = ${$.organizationId}::uuid) < ${sql.raw(String(MAX_WEBHOOKS))}
      returning ${columns}`,
  ),
)

type Key = { id: string }

/** Locks the webhook until the commit. */
export const lockWebhook = one(
  statement(
    'webhooks.lock',
    (_, $: Params<Key>) => sql<WebhookRow>`select ${columns} from ${webhooks} where id = ${$.id} for no key update`,
  ),
)

type Change = Pick<NewWebhookRow, 'url' | 'eventTypes' | 'description'> & {
  enabled: boolean
  disabledReason: DisabledReason | null
}

/** Enabling, and another URL, forget the failures of the past. */
const forgotten = sql`failure_count = 0, blocked_until = null`

/** `changed` names the columns to set, so that null can be written. */
export const updateWebhookRow = statements(
  'webhooks.change',
  (_, $: Params<Key & Change>, changed: readonly string[]) => {
    const set: Record<string, SQL> = {
      url: sql`url = ${$.url}`,
      eventTypes: sql`event_types = ${$.eventTypes}`,
      description: sql`description = ${$.description}`,
      enabled: sql`enabled = ${$.enabled}, disabled_at = case when not ${$.enabled}::boolean then coalesce(disabled_at, now()) end,
        disabled_reason = case when not ${$.enabled}::boolean then coalesce(disabled_reason, ${$.disabledReason}::text) end`,
    }
    const changes = changed.map(column => set[column] as SQL)
    if (changed.includes('url') || changed.includes('enabled')) changes.push(forgotten)
    return sql<WebhookRow>`
      update ${webhooks} set ${sql.join(changes, sql`, `)}, version = version + 1, updated_at = now()
      where id = ${$.id} returning ${columns}`
  },
)

/** Does nothing when it is disabled already. */
export const disableWebhookRow = one(
  statement(
    'webhooks.disable',
    (_, $: Params<Key & { reason: DisabledReason }>) => sql<WebhookRow>`
      update ${webhooks} set enabled = false, disabled_at = now(), disabled_reason = ${$.reason},
        version = version + 1, updated_at = now()
      where id = ${$.id} and enabled returning ${columns}`,
  ),
)
