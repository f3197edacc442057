import type { FastifyInstance } from 'fastify'
import type { Transaction } from '../../../database/client.ts'
import type { Caller } from '../../../events/caller.ts'
import { sendNotice } from '../jobs.ts'
import type { Notice } from './letters.ts'

/** Sends a notice to `email` once `tx` has committed; does nothing without an address. */
export async function notify(
  app: FastifyInstance,
  tx: Transaction,
  caller: Caller,
  email: string | null,
  notice: Notice,
): Promise<void> {
  if (email !== null) await app.jobs.enqueue(tx, sendNotice, { email, notice }, caller.traceparent)
}
