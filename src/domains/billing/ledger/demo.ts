import type { Transaction } from '../../../database/client.ts'
import type { Caller } from '../../../events/caller.ts'
import { record } from '../../../events/record.ts'
import { demoId } from '../../../lib/demo.ts'
import { orNotFound } from '../../../lib/errors.ts'
import { demoOrganizationId } from '../../organizations/demo.ts'
import { accountEvents, holdEvents, transferEvents } from './events.ts'
import { insertAccount } from './queries/accounts.ts'
import { insertHold } from './queries/holds.ts'
import { insertTransfer } from './queries/transfers.ts'

const bankId = demoId(300)
export const demoAccountId = demoId(301)
export const demoTransferId = demoId(303)
export const demoHoldId = demoId(304)
const OPENING_CENTS = 1_000_000
const HOLD_MS = 30 * 86_400_000

const demoAccounts = [
  { id: bankId, kind: 'system', name: 'Bank' },
  { id: demoAccountId, kind: 'normal', name: 'Cash' },
  { id: demoId(302), kind: 'normal', name: 'Reserve' },
] as const

export async function insertDemoLedger(tx: Transaction, caller: Caller): Promise<void> {
  const shared = { organizationId: demoOrganizationId, currency: 'EUR' }
  for (const account of demoAccounts)
    await record(tx, caller, accountEvents.created, orNotFound(await insertAccount(tx, { ...account, ...shared })))
  const transfer = {
    ...shared,
    id: demoTransferId,
    fromAccountId: bankId,
    toAccountId: demoAccountId,
    amountCents: OPENING_CENTS,
    reference: 'Opening balance',
    reversesId: null,
    source: null,
    sourceId: null,
    createdBy: caller.actor.id,
    createdAt: new Date().toISOString(),
  }
  await record(tx, caller, transferEvents.created, orNotFound(await insertTransfer(tx, transfer)))
  const hold = {
    id: demoHoldId,
    accountId: demoAccountId,
    amountCents: 5_000,
    reference: 'Deposit',
    expiresAt: new Date(Date.now() + HOLD_MS).toISOString(),
    createdBy: caller.actor.id,
  }
  await record(tx, caller, holdEvents.created, orNotFound(await insertHold(tx, hold)))
}
