import type { FastifyInstance } from 'fastify'
import type { Transaction } from '../../../../database/client.ts'
import { type Caller, userIdOf } from '../../../../events/caller.ts'
import { record } from '../../../../events/record.ts'
import type { Actor } from '../../../../lib/access.ts'
import { invalid, orNotFound } from '../../../../lib/errors.ts'
import { newId } from '../../../../lib/ids.ts'
import { oneCurrency, sumCents } from '../../../../lib/money.ts'
import { ledgerErrors } from '../errors.ts'
import { transferEvents } from '../events.ts'
import { type AccountRow, lockAccounts } from '../queries/accounts.ts'
import { findTransfer, insertTransfer, type TransferRow } from '../queries/transfers.ts'
import type { CreateTransfer, Transfer } from '../schemas.ts'
import { requireSystemAccess } from './accounts.ts'

export type Move = Pick<
  Transfer,
  'fromAccountId' | 'toAccountId' | 'amountCents' | 'currency' | 'reference' | 'reversesId' | 'organizationId'
>

/**
 * Throws `not_found` for an account outside the caller's organizations, `forbidden`, `validation_failed` for accounts of
 * two organizations or the same account twice, and as `post`.
 */
export async function createTransfer(
  app: FastifyInstance,
  caller: Caller,
  actor: Actor,
  input: CreateTransfer,
): Promise<TransferRow> {
  const move = await moveOf(app, actor, input)
  return caller.transaction(tx => post(tx, caller, actor, move))
}

/** Returns what is to be moved, when the caller may move between these accounts. Throws as `createTransfer`. */
export async function moveOf(
  { tenancy }: FastifyInstance,
  actor: Actor,
  { reference = null, ...input }: CreateTransfer,
): Promise<Move> {
  const [from, to] = await Promise.all(
    [input.fromAccountId, input.toAccountId].map(id => tenancy.check('account', id, actor, 'admin', 'admin')),
  )
  if (input.fromAccountId.toLowerCase() === input.toAccountId.toLowerCase())
    throw invalid('#/toAccountId', 'is the account that the amount is taken from')
  const organizationId = orNotFound(from).organizationId
  if (to?.organizationId !== organizationId)
    throw invalid('#/toAccountId', 'is an account of another organization than the first')
  return { ...input, organizationId, reference, reversesId: null }
}

/** Throws `transfer_reversed`, and as `post`. */
export const reverseTransfer = (caller: Caller, actor: Actor, id: string): Promise<TransferRow> =>
  caller.transaction(async tx => {
    const original = await lockUnreversed(tx, id)
    const { fromAccountId, toAccountId, organizationId, amountCents, currency, reference } = original
    return post(tx, caller, actor, {
      organizationId,
      amountCents,
      currency,
      reference,
      fromAccountId: toAccountId,
      toAccountId: fromAccountId,
      reversesId: original.id,
    })
  })

/** Reads the transfer after its accounts are locked: a reversal that runs at the same moment holds these locks. */
async function lockUnreversed(tx: Transaction, id: string): Promise<TransferRow> {
  const { fromAccountId, toAccountId } = orNotFound(await findTransfer(tx, { id }))
  await lockAccounts(tx, { ids: [fromAccountId, toAccountId] })
  const transfer = orNotFound(await findTransfer(tx, { id }))
  if (transfer.version > 1) throw ledgerErrors.transfer_reversed()
  return transfer
}

/** Locks both accounts. Throws `forbidden`, `currency_mismatch`, `insufficient_funds`, `amount_out_of_range`. */
async function post(tx: Transaction, caller: Caller, actor: Actor, move: Move): Promise<TransferRow> {
  await requireMove(tx, actor, move)
  return write(tx, caller, { ...move, source: null, sourceId: null })
}

/** As `post`, but writes nothing. `heldCents` is what a hold has reserved for this move. */
export async function requireMove(tx: Transaction, actor: Actor, move: Move, heldCents = 0): Promise<void> {
  const { fromAccountId, toAccountId } = move
  const locked = new Map((await lockAccounts(tx, { ids: [fromAccountId, toAccountId] })).map(row => [row.id, row]))
  const from = orNotFound(locked.get(fromAccountId.toLowerCase()))
  const to = orNotFound(locked.get(toAccountId.toLowerCase()))
  if (from.kind === 'system' || to.kind === 'system') requireSystemAccess(actor)
  requireMovable({ ...from, heldCents: from.heldCents - heldCents }, to, move)
}

/** Writes a transfer between accounts that are locked, and its event. */
export async function write(
  tx: Transaction,
  caller: Caller,
  move: Move & Pick<Transfer, 'source' | 'sourceId'>,
): Promise<TransferRow> {
  const row = { ...move, id: newId(), createdBy: userIdOf(caller), createdAt: new Date().toISOString() }
  const transfer = orNotFound(await insertTransfer(tx, row))
  await record(tx, caller, transferEvents.created, transfer)
  return transfer
}

function requireMovable(from: AccountRow, to: AccountRow, { amountCents, currency }: Move): void {
  oneCurrency([currency, from.currency, to.currency])
  if (from.kind === 'normal' && from.balanceCents - from.heldCents < amountCents)
    throw ledgerErrors.insufficient_funds()
  sumCents([from.balanceCents, -amountCents])
  sumCents([to.balanceCents, amountCents])
}
