import { newId } from '../../src/lib/ids.ts'
import type { TestOrganization } from './actors.ts'
import type { TestApp } from './app.ts'
import { call } from './call.ts'
import { eventually } from './mail.ts'

/** Creates a webhook of the organization; returns it with its secret. */
export async function createWebhook({ app }: TestApp, { id, admin }: TestOrganization, more: object = {}) {
  const body = { url: 'https://example.com/hooks', eventTypes: ['*'], ...more }
  const created = await call(app, `POST /organizations/${id}/webhooks`, { as: admin, body })
  if (created.status !== 201) throw new Error(`${created.status}: ${created.text}`)
  return created.body
}

/** Inserts an event of the organization, which happened `ago` seconds before; returns its id. */
export async function insertEvent({ sql }: TestApp, organizationId: string, type: string, ago = 0): Promise<string> {
  const id = newId()
  await sql(
    `insert into events (id, type, organization_id, actor_type, target_type, target_id, data, created_at)
     values ($1, $2, $3, 'system', split_part($2, '.', 1), $1, '{}', now() - $4 * interval '1 second')`,
    [id, type, organizationId, ago],
  )
  return id
}

/** Inserts a delivery of an event in some state; returns its id. */
export async function insertDelivery({ sql }: TestApp, webhookId: string, eventId: string, state = 'pending') {
  const id = newId()
  await sql(
    `insert into deliveries (id, organization_id, webhook_id, event_id, position, seq, event_type, state, attempt_count,
       next_attempt_at, settled_at)
     select $1, organization_id, $2, id, position, seq, type, $4, 3, case when $4 = 'pending' then now() end,
       case when $4 <> 'pending' then now() end
     from events where id = $3`,
    [id, webhookId, eventId, state],
  )
  return id
}

/** Waits until every event is settled: until then a transaction of another test may hold them back. */
export const settled = ({ sql }: TestApp): Promise<unknown> =>
  eventually(async () => {
    const late = await sql(`select from events, event_epoch
      where position >= (base + pg_snapshot_xmin(pg_current_snapshot())::text::bigint)::text::xid8 limit 1`)
    return late.length === 0
  }, 'settled events')
