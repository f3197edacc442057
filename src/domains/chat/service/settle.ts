import type { FastifyInstance } from 'fastify'
import type { Transaction } from '../../../database/client.ts'
import { bySystem, type Caller } from '../../../events/caller.ts'
import { record } from '../../../events/record.ts'
import type { TokenUsage } from '../../../lib/ai-provider.ts'
import { type AppError, orNotFound } from '../../../lib/errors.ts'
import { chatErrors } from '../errors.ts'
import { chatMessageEvents } from '../events.ts'
import { countUsage, deleteChunks, listExpired, lockRunning, settleAnswer } from '../queries/answers.ts'
import type { MessageRow } from '../queries/messages.ts'

type App = Pick<FastifyInstance, 'ai' | 'database'>

/** The topic of answers that this process has settled. */
export const SETTLED = 'chat.settled'

export interface Outcome {
  status: 'complete' | 'stopped' | 'interrupted' | 'failed'
  /** Why it is interrupted or failed. */
  failure?: AppError
  /** What the provider counted, if it did. */
  usage?: TokenUsage | undefined
}

const eventOf = {
  complete: chatMessageEvents.completed,
  stopped: chatMessageEvents.stopped,
  interrupted: chatMessageEvents.interrupted,
  failed: chatMessageEvents.failed,
}

/** Settles a running answer; undefined when it is settled or gone. Locks the answer, then the usage of the month. */
export async function settle(
  { ai }: Pick<App, 'ai'>,
  tx: Transaction,
  caller: Caller,
  id: string,
  { status, failure, usage }: Outcome,
): Promise<MessageRow | undefined> {
  const held = await lockRunning(tx, { id })
  if (!held) return undefined
  const answer = orNotFound(
    await settleAnswer(tx, {
      id,
      status,
      failureCode: failure?.code ?? null,
      failureDetail: failure?.detail ?? null,
      retryAfterSeconds: failure ? retryAfterOf(failure) : null,
      inputTokens: usage?.inputTokens ?? null,
      outputTokens: usage?.outputTokens ?? null,
      ...ai.prices,
    }),
  )
  await deleteChunks(tx, { id })
  const { inputTokens, outputTokens, costMicros } = answer
  await countUsage(tx, {
    ...held,
    inputTokens: inputTokens ?? 0,
    outputTokens: outputTokens ?? 0,
    costMicros: costMicros ?? 0,
  })
  await record(tx, caller, eventOf[status], answer)
  tx.announce(SETTLED, [id])
  return answer
}

const retryAfterOf = ({ headers }: AppError): number | null => {
  const seconds = headers['retry-after']
  return seconds === undefined ? null : Number(seconds)
}

const INTERRUPTED: Outcome = { status: 'interrupted', failure: chatErrors.answer_interrupted() }

/** Settles an answer whose process does not renew its lease any more. */
export async function interruptExpired(app: App, tx: Transaction, id: string): Promise<void> {
  const held = await lockRunning(tx, { id })
  if (held?.expired) await settle(app, tx, bySystem(tx), id, INTERRUPTED)
}

/** As `interruptExpired`, for all answers that nobody reads; each in its own transaction. */
export async function interruptAll(app: App): Promise<void> {
  for (const { id } of await listExpired(app.database, {}))
    await app.database.transaction(tx => interruptExpired(app, tx, id))
}

/** Settles an answer of this process. */
export const settleOwn = (app: App, id: string, outcome: Outcome): Promise<MessageRow | undefined> =>
  app.database.transaction(tx => settle(app, tx, bySystem(tx), id, outcome))

/** Settles an answer of this process that it will not complete, because it stops. */
export const interruptOwn = (app: App, id: string): Promise<MessageRow | undefined> => settleOwn(app, id, INTERRUPTED)
