import type { FastifyInstance } from 'fastify'
import { paymentErrors } from '../errors.ts'
import { stripeEvent } from '../jobs.ts'
import { insertStripeEvent } from '../queries.ts'

/**
 * Keeps an event of the provider, once, with the job that applies it. One of a type that says nothing about a payment is
 * kept too. Throws `event_not_signed`.
 */
export async function receiveEvent(
  { database, jobs, payments }: Pick<FastifyInstance, 'database' | 'jobs' | 'payments'>,
  body: Buffer,
  signature: string,
): Promise<void> {
  const event = await payments.readEvent?.(body, signature)
  if (!event) throw paymentErrors.event_not_signed()
  const { id, type, reference } = event
  await database.transaction(async tx => {
    if (await insertStripeEvent(tx, { id, type, reference })) await jobs.enqueue(tx, stripeEvent, { eventId: id })
  })
}
