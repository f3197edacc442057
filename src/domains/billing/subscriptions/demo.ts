import type { Transaction } from '../../../database/client.ts'
import type { Caller } from '../../../events/caller.ts'
import { record } from '../../../events/record.ts'
import { demoId } from '../../../lib/demo.ts'
import { orNotFound } from '../../../lib/errors.ts'
import { demoOrganizationId } from '../../organizations/demo.ts'
import { demoUserId } from '../../users/demo.ts'
import { demoPlanId } from '../products/demo.ts'
import { subscriptionEvents } from './events.ts'
import { findNow, findOfferedPrice, insertSubscription } from './queries.ts'
import { afterAnchor } from './service/periods.ts'

export const demoSubscriptionId = demoId(240)

/** Its first period was paid elsewhere, as it were: the sandbox is not told of it. */
export async function insertDemoSubscription(tx: Transaction, caller: Caller): Promise<void> {
  const { now } = orNotFound(await findNow(tx, {}))
  const price = orNotFound(await findOfferedPrice(tx, { productId: demoPlanId, priceId: null }))
  const row = await insertSubscription(tx, {
    id: demoSubscriptionId,
    organizationId: demoOrganizationId,
    productId: demoPlanId,
    priceId: price.id,
    quantity: 5,
    status: 'active',
    customerEmail: 'office@example.com',
    paymentMethod: null,
    anchorAt: now,
    cycle: 1,
    periodStart: now,
    periodEnd: afterAnchor(now, price, 1),
    trialEndsAt: null,
    latestInvoiceId: null,
    createdBy: demoUserId,
  })
  await record(tx, caller, subscriptionEvents.created, orNotFound(row))
}
