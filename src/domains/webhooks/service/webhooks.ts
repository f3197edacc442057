import type { FastifyInstance } from 'fastify'
import type { Transaction } from '../../../database/client.ts'
import { type Caller, userIdOf } from '../../../events/caller.ts'
import { record } from '../../../events/record.ts'
import { type AppError, invalid, orNotFound, requireVersion } from '../../../lib/errors.ts'
import { newId } from '../../../lib/ids.ts'
import { lockOrganization } from '../../organizations/queries/organizations.ts'
import { webhookErrors } from '../errors.ts'
import { webhookEvents } from '../events.ts'
import { cancelDeliveries } from '../queries/deliveries.ts'
import { rotateSecret } from '../queries/secrets.ts'
import { insertWebhook, lockWebhook, updateWebhookRow, type WebhookRow } from '../queries/webhooks.ts'
import { type CreateWebhook, OVERLAP_SECONDS, type UpdateWebhook } from '../schemas/webhooks.ts'
import { newSecret } from './secrets.ts'

/** Returns the URL in normal form. Throws `validation_failed` for one that nothing is sent to. */
function allowed(outbound: FastifyInstance['outbound'], url: string): string {
  try {
    return outbound.check(url)
  } catch (error) {
    throw invalid('#/url', (error as AppError).detail as string)
  }
}

/**
 * Creates a webhook and returns it with its secret, which is shown only this once. Throws `validation_failed` for a URL
 * that is not allowed, `webhook_limit_reached`, and `not_found` for an organization that is deleted at the same moment.
 */
export async function createWebhook(
  { outbound, keyring }: FastifyInstance,
  caller: Caller,
  organizationId: string,
  { url: given, eventTypes, description = null }: CreateWebhook,
) {
  const url = allowed(outbound, given)
  return caller.transaction(async tx => {
    orNotFound(await lockOrganization(tx, { id: organizationId }))
    const id = newId()
    const { shown, sealed } = newSecret(keyring, id)
    const own = { id, organizationId, createdBy: userIdOf(caller), secret: sealed }
    const webhook = await insertWebhook(tx, { ...own, url, eventTypes, description })
    if (!webhook) throw webhookErrors.webhook_limit_reached()
    await record(tx, caller, webhookEvents.created, webhook)
    return { ...webhook, secret: shown }
  })
}

/** Locks the webhook until the commit. Throws `not_found`, `precondition_failed`. */
export async function holdWebhook(tx: Transaction, id: string, ifMatch: number[] | null): Promise<WebhookRow> {
  const webhook = orNotFound(await lockWebhook(tx, { id }))
  requireVersion(webhook, ifMatch)
  return webhook
}

/**
 * Disabling cancels what is still to be sent; enabling forgets the failures of the past. Throws `not_found`,
 * `precondition_failed`, `validation_failed` for a URL that is not allowed.
 */
export async function updateWebhook(
  { outbound }: FastifyInstance,
  caller: Caller,
  id: string,
  change: UpdateWebhook,
  ifMatch: number[] | null,
) {
  const checked = change.url === undefined ? change : { ...change, url: allowed(outbound, change.url) }
  return caller.transaction(async tx => {
    await holdWebhook(tx, id, ifMatch)
    const values = { url: '', eventTypes: [], description: null, enabled: true, ...checked }
    const [row] = await updateWebhookRow(tx, Object.keys(change), { id, ...values, disabledReason: 'manual' })
    const webhook = orNotFound(row)
    if (!webhook.enabled) await cancelDeliveries(tx, { webhookId: id })
    await record(tx, caller, webhookEvents.updated, webhook)
    return webhook
  })
}

/** The present secret signs too for `overlapSeconds`; an older one ends. Throws `not_found`, `precondition_failed`. */
export const rotateWebhookSecret = (
  { keyring }: FastifyInstance,
  caller: Caller,
  id: string,
  ifMatch: number[] | null,
  overlapSeconds = OVERLAP_SECONDS,
) =>
  caller.transaction(async tx => {
    await holdWebhook(tx, id, ifMatch)
    const { shown, sealed } = newSecret(keyring, id)
    const webhook = orNotFound(await rotateSecret(tx, { id, secret: sealed, overlapSeconds }))
    await record(tx, caller, webhookEvents.secret_rotated, webhook)
    return { ...webhook, secret: shown }
  })
