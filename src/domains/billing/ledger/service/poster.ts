import type { FastifyInstance } from 'fastify'
import { coalesce } from '../../../../database/fast-path/coalesce.ts'
import { type Caller, userIdOf } from '../../../../events/caller.ts'
import { RECORDED } from '../../../../events/record.ts'
import type { Actor } from '../../../../lib/access.ts'
import { LeftOut } from '../../../../lib/idempotency.ts'
import { newId } from '../../../../lib/ids.ts'
import { transferEvents } from '../events.ts'
import { type NewTransfer, postTransfers } from '../queries/posting.ts'
import type { TransferRow } from '../queries/transfers.ts'
import type { CreateTransfer } from '../schemas.ts'
import { mayUseSystem } from './accounts.ts'
import { createTransfer, type Move, moveOf } from './transfers.ts'

/**
 * Makes a transfer together with those that other callers make at the same time, in one statement and one commit; each
 * caller is answered after that commit. Throws `LeftOut` where the statement left the transfer out, and otherwise as
 * `createTransfer`, which makes it alone where there is no claim and tells the reason.
 */
export function transferPoster(app: FastifyInstance) {
  const together = coalesce(app.database.writes, (rows: readonly NewTransfer[]) => post(app, rows), { writes: true })

  return async (caller: Caller, actor: Actor, input: CreateTransfer): Promise<TransferRow> => {
    if (!caller.claim) return createTransfer(app, caller, actor, input)
    const transfer = newTransfer(caller, await moveOf(app, actor, input))
    const answer = caller.claim.answer(201, transfer, `${app.prefix}/transfers/${transfer.id}`)
    if (!(await together({ caller, transfer, mayUseSystem: mayUseSystem(actor), answer }))) throw new LeftOut()
    return transfer
  }
}

/** Of requests with the same key only the first is posted: a lock that a transaction has, it gets again. */
async function post({ database }: FastifyInstance, rows: readonly NewTransfer[]): Promise<boolean[]> {
  const first = new Map(rows.toReversed().map(row => [row.answer.id.toString('hex'), row]))
  const posted = await postTransfers(database.writes, [...first.values()].toReversed())
  database.announce(RECORDED, [transferEvents.created.target, ...posted])
  return rows.map(({ transfer }) => posted.has(transfer.id))
}

/** Returns the row as it will be stored. Its times come from this process, so that its event is written with it. */
function newTransfer(caller: Caller, move: Move): TransferRow {
  const createdAt = new Date().toISOString()
  const { reversesId, ...given } = move
  return {
    id: newId(),
    ...given,
    fromAccountId: given.fromAccountId.toLowerCase(),
    toAccountId: given.toAccountId.toLowerCase(),
    reversesId,
    source: null,
    sourceId: null,
    createdBy: userIdOf(caller),
    createdAt,
    updatedAt: createdAt,
    version: 1,
  }
}
