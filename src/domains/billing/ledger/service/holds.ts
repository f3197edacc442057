import type { FastifyInstance } from 'fastify'
import type { Transaction } from '../../../../database/client.ts'
import { bySystem, type Caller, userIdOf } from '../../../../events/caller.ts'
import { record } from '../../../../events/record.ts'
import type { Actor } from '../../../../lib/access.ts'
import { invalid, orNotFound, requireVersion } from '../../../../lib/errors.ts'
import { newId } from '../../../../lib/ids.ts'
import { ledgerErrors } from '../errors.ts'
import { holdEvents } from '../events.ts'
import { findAccount, lockAccounts } from '../queries/accounts.ts'
import { endHolds, findExpiredHolds, findHold, type HoldRow, insertHold } from '../queries/holds.ts'
import type { TransferRow } from '../queries/transfers.ts'
import type { CaptureHold, CreateHold } from '../schemas.ts'
import { requireMove, write } from './transfers.ts'

/** As long as card networks keep an authorization. */
const DEFAULT_LIFE_MS = 7 * 86_400_000
/** What one job ends in its transaction. */
const EXPIRED_BATCH = 1_000

/** Throws `insufficient_funds`, `account_not_holdable`, `validation_failed`. */
export const createHold = (
  caller: Caller,
  accountId: string,
  { amountCents, reference = null, expiresAt = new Date(Date.now() + DEFAULT_LIFE_MS).toISOString() }: CreateHold,
): Promise<HoldRow> =>
  caller.transaction(async tx => {
    if (Date.parse(expiresAt) <= Date.now()) throw invalid('#/expiresAt', 'is in the past')
    const given = { id: newId(), accountId, amountCents, reference, expiresAt, createdBy: userIdOf(caller) }
    const hold = await insertHold(tx, given)
    if (!hold) throw await refusal(tx, accountId)
    await record(tx, caller, holdEvents.created, hold)
    return hold
  })

async function refusal(tx: Transaction, accountId: string) {
  const { kind } = orNotFound(await findAccount(tx, { id: accountId }))
  return kind === 'system' ? ledgerErrors.account_not_holdable() : ledgerErrors.insufficient_funds()
}

/**
 * Moves a hold, or a part of it, to another account of the organization; the rest is free again. Throws `hold_ended`,
 * `capture_too_large`, `not_found`, `forbidden`, `currency_mismatch`, `amount_out_of_range`, `validation_failed`.
 */
export async function captureHold(
  { tenancy }: Pick<FastifyInstance, 'tenancy'>,
  caller: Caller,
  actor: Actor,
  id: string,
  { toAccountId, amountCents: wanted }: CaptureHold,
): Promise<TransferRow> {
  const to = await tenancy.check('account', toAccountId, actor, 'admin', 'admin')
  return caller.transaction(async tx => {
    const hold = await lockHeld(tx, id, [toAccountId])
    const { organizationId, accountId: fromAccountId, currency, reference } = hold
    if (to.organizationId !== organizationId) throw invalid('#/toAccountId', 'is an account of another organization')
    if (toAccountId.toLowerCase() === fromAccountId) throw invalid('#/toAccountId', 'is the account of the hold')
    const amountCents = wanted ?? hold.amountCents
    if (amountCents > hold.amountCents) throw ledgerErrors.capture_too_large()
    const move = { organizationId, fromAccountId, toAccountId, amountCents, currency, reference, reversesId: null }
    await requireMove(tx, actor, move, hold.amountCents)
    await end(tx, caller, [id], 'captured', amountCents)
    return write(tx, caller, { ...move, source: 'hold', sourceId: id })
  })
}

/** Throws `hold_ended`, `precondition_failed`. */
export const releaseHold = (caller: Caller, id: string, ifMatch: number[] | null): Promise<HoldRow> =>
  caller.transaction(async tx => {
    requireVersion(await lockHeld(tx, id, []), ifMatch)
    return orNotFound((await end(tx, caller, [id], 'released'))[0])
  })

/** Reads the hold after its account is locked, as everything that ends one does. Throws `hold_ended`. */
async function lockHeld(tx: Transaction, id: string, others: string[]): Promise<HoldRow> {
  const { accountId } = orNotFound(await findHold(tx, { id }))
  await lockAccounts(tx, { ids: [accountId, ...others] })
  const hold = orNotFound(await findHold(tx, { id }))
  if (hold.status !== 'held' || Date.parse(hold.expiresAt) <= Date.now()) throw ledgerErrors.hold_ended()
  return hold
}

async function end(
  tx: Transaction,
  caller: Caller,
  ids: string[],
  status: 'captured' | 'released' | 'expired',
  capturedCents = 0,
): Promise<HoldRow[]> {
  const ended = await endHolds(tx, { ids, status, capturedCents })
  if (ended.length > 0) await record(tx, caller, holdEvents[status], ...ended)
  return ended
}

/** Ends the holds whose time has come; returns whether there may be more. */
export async function expireHolds(tx: Transaction): Promise<boolean> {
  const expired = await findExpiredHolds(tx, { limit: EXPIRED_BATCH })
  await lockAccounts(tx, { ids: expired.map(({ accountId }) => accountId) })
  await end(
    tx,
    bySystem(tx),
    expired.map(({ id }) => id),
    'expired',
  )
  return expired.length === EXPIRED_BATCH
}
