import type { FastifyInstance } from 'fastify'
import { findSubscription } from '../queries.ts'
import type { Subscription } from '../schemas.ts'

const endings: Record<string, string> = {
  canceled: 'It was repeated in vain, so the subscription is over.',
  unpaid: 'It was repeated in vain. The subscription goes on when its open invoices are paid.',
}

const text = ({ id, status, nextAt }: Subscription): string => `The charge for your subscription has failed.

${endings[status] ?? `It will be repeated on ${nextAt?.slice(0, 10)}. Change what pays by PATCH /subscriptions/${id}.`}

(subscription ${id})
`

/** Tells the customer of a charge that has failed; does nothing when something else happened since. */
export async function mailFailure(
  { database, mail }: Pick<FastifyInstance, 'database' | 'mail'>,
  id: string,
  failedCharges: number,
): Promise<void> {
  const subscription = await findSubscription(database, { id })
  if (subscription?.failedCharges !== failedCharges) return
  await mail.send({ to: subscription.customerEmail, subject: 'A payment has failed', text: text(subscription) })
}
