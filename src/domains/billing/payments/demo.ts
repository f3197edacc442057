import type { Transaction } from '../../../database/client.ts'
import type { Caller } from '../../../events/caller.ts'
import { record } from '../../../events/record.ts'
import { demoId } from '../../../lib/demo.ts'
import { orNotFound } from '../../../lib/errors.ts'
import { demoOrganizationId } from '../../organizations/demo.ts'
import { demoUserId } from '../../users/demo.ts'
import { demoPaidOrderId } from '../orders/demo.ts'
import { claimOrder } from '../orders/queries.ts'
import { paymentEvents } from './events.ts'
import { insertPayment } from './queries.ts'
import { applyOutcome } from './service/settlement.ts'

export const demoPaymentId = demoId(220)

/** A payment in cash, as it were: the sandbox is not told of it. */
export async function insertDemoPayment(tx: Transaction, caller: Caller): Promise<void> {
  const order = { id: demoPaidOrderId, paymentId: demoPaymentId, ifMatch: null }
  const { totalCents: amountCents, currency } = orNotFound(await claimOrder(tx, order))
  const payment = await insertPayment(tx, {
    id: demoPaymentId,
    organizationId: demoOrganizationId,
    orderId: demoPaidOrderId,
    invoiceId: null,
    amountCents,
    currency,
    provider: 'sandbox',
    paymentMethod: 'pm_sandbox_success',
    createdBy: demoUserId,
  })
  await record(tx, caller, paymentEvents.created, orNotFound(payment))
  await applyOutcome(tx, demoPaymentId, { status: 'succeeded' })
}
