import type { FastifyInstance } from 'fastify'
import { newId } from '../../../../lib/ids.ts'
import { insertDeliveries, matchEvents } from '../../queries/dispatch-enqueue.ts'

type Subscriber = Parameters<FastifyInstance['relay']['subscribe']>[1]

/** Tells all processes that deliveries are due. It is only a hint: each also looks by itself. */
export const TOPIC = 'webhooks.due'

/**
 * Makes deliveries of committed events, in the transaction that moves the cursor of the relay. Every condition is in the
 * statements: an error would repeat the same events for ever.
 */
export const enqueue: Subscriber = async (tx, events) => {
  const ofTenants = events.filter(({ organizationId }) => organizationId !== null)
  if (ofTenants.length === 0) return
  const places = ofTenants.map(({ id, organizationId, type, position, seq }) => ({
    id,
    organizationId,
    type,
    position,
    seq,
  }))
  const matches = await matchEvents(tx, { events: JSON.stringify(places) })
  if (matches.length === 0) return
  const made = matches.map(match => ({ id: newId(), ...match }))
  await insertDeliveries(tx, { deliveries: JSON.stringify(made) })
  tx.announce(TOPIC, [])
  await tx.notify(TOPIC)
}
