import type { Transaction } from '../../../database/client.ts'
import type { Caller } from '../../../events/caller.ts'
import { demoId } from '../../../lib/demo.ts'
import { demoOrganizationId } from '../../organizations/demo.ts'
import { demoProductId } from '../products/demo.ts'
import { createOrder } from './service.ts'

/** Pending, so that examples can pay and cancel it. */
export const demoOrderId = demoId(210)
export const demoPaidOrderId = demoId(211)

export async function insertDemoOrders(_tx: Transaction, caller: Caller): Promise<void> {
  const lines = [{ productId: demoProductId, quantity: 2 }]
  for (const id of [demoPaidOrderId, demoOrderId]) await createOrder(caller, demoOrganizationId, { lines }, id)
}
