import DataLoader from 'dataloader'
import { concernsEveryone, UnreadableRows } from '../errors.ts'
import type { Executor } from '../executor.ts'

/** Past this, larger batches no longer lower the cost of a row. */
const MAX_BATCH = 256
/** While one batch is worked on the next is on its way: neither side waits for the other. A third brings nothing more. */
const MAX_IN_FLIGHT = 2

interface Options {
  maxBatchSize?: number
  /** The statement writes: it is repeated only when it is certain that nothing of it was committed. */
  writes?: boolean
}
/** One result, or an Error, for each key in order; a rejection is one of the whole batch. */
type Answer<Key, Result> = (keys: readonly Key[]) => Promise<(Result | Error)[]>

/**
 * Gathers the calls that arrive while batches are out into the next batch. Until then a batch leaves at the end of the
 * current turn of the event loop, so a lone call waits for nobody. Every result belongs to its call alone:
 * nothing is cached, and when a batch is rejected for what one key may have caused, each key is asked for again by
 * itself, once. A batch is not repeated when the database is away or has used up the time of a statement: every call is
 * answered by that error, which is a 503, and nobody waits for a second limit.
 */
export function coalesce<Key, Result>(
  on: Pick<Executor, 'coalesces'>,
  answer: Answer<Key, Result>,
  { maxBatchSize = MAX_BATCH, writes = false }: Options = {},
): (key: Key) => Promise<Result> {
  if (!on.coalesces) return key => alone(answer, key)
  const waiting: (() => void)[] = []
  let inFlight = 0

  const leave = () => {
    for (const send of waiting.splice(0)) send()
  }
  const loader = new DataLoader<Key, Result>(
    async keys => {
      inFlight++
      try {
        return await answer(keys)
      } catch (error) {
        const final = concernsEveryone(error) || (writes && error instanceof UnreadableRows)
        if (keys.length === 1 || final) throw error
        return await apart(answer, keys)
      } finally {
        inFlight--
        if (inFlight < MAX_IN_FLIGHT && waiting.length > 0) leave()
      }
    },
    {
      cache: false,
      maxBatchSize,
      batchScheduleFn: send => {
        if (waiting.push(send) === 1 && inFlight < MAX_IN_FLIGHT) setImmediate(leave)
      },
    },
  )
  return key => loader.load(key)
}

async function alone<Key, Result>(answer: Answer<Key, Result>, key: Key): Promise<Result> {
  const [result] = await answer([key])
  if (result instanceof Error) throw result
  return result as Result
}

/** Each key by itself, all at once: on a pipelined client they are one round trip. */
const apart = <Key, Result>(answer: Answer<Key, Result>, keys: readonly Key[]): Promise<(Result | Error)[]> =>
  Promise.all(keys.map(key => alone(answer, key).catch((error: Error) => error)))
