import type { FastifyInstance } from 'fastify'
import { defused } from '../../../lib/defused.ts'
import { findUser } from '../../users/queries/users.ts'
import { webhookResource } from '../queries/webhooks.ts'
import type { Webhook } from '../schemas/webhooks.ts'

const causes: Record<string, string> = {
  gone: 'It answered 410 Gone, which asks us to stop.',
  exhausted: 'An event could not be delivered, for days and to the last attempt.',
}

/** The URL is text of a tenant, so it is defused. */
const text = ({
  id,
  url,
  disabledReason,
}: Webhook): string => `We no longer send events to this webhook of your organization:

${defused(url)}
(webhook ${id})

${causes[disabledReason ?? ''] ?? ''}

When the endpoint works again, enable the webhook with PATCH /webhooks/${id} {"enabled": true}, and have what it
missed sent with POST /webhooks/${id}/recover.
`

/** Does nothing when the webhook is deleted or enabled meanwhile, or the owner has no address any more. */
export async function mailDisabled({ database, mail }: FastifyInstance, webhookId: string, userId: string) {
  const webhook = await webhookResource.find(database, { id: webhookId })
  const owner = await findUser(database, { id: userId })
  if (!webhook || webhook.enabled || !owner?.email) return
  await mail.send({ to: owner.email, subject: 'A webhook was disabled', text: text(webhook) })
}
