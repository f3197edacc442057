import DataLoader from 'dataloader'
import { concernsEveryone, UnreadableRows } from '../errors.ts'
import type { Executor } from '../executor.ts'

/** Larger batches no longer lower the cost per row. */
const MAX_BATCH = 256
/** With two batches, one is on the wire while the server works on the other. A third gains nothing. */
const MAX_IN_FLIGHT = 2

interface Options {
  maxBatchSize?: number
  /** The statement writes: it is repeated only when certainly nothing of it was committed. */
  writes?: boolean
}
/** Returns one result or Error for each key, in order. A rejection concerns the whole batch. */
type Answer<Key, Result> = (keys: readonly Key[]) => Promise<(Result | Error)[]>

/**
 * Collects the calls that arrive while batches are in flight into the next batch. With no batch in flight, a batch is
 * sent at the end of the current turn of the event loop, so a single call does not wait. Nothing is cached. When a
 * batch is rejected for a reason that one key may have caused, each key is sent once more by itself, so that only the
 * key at fault fails. When the database is unavailable or the statement has reached its time limit, the batch is not
 * repeated: every call gets that error (503) and does not wait for a second limit.
 */
export function coalesce<Key, Result>(
  on: Pick<Executor, 'coalesces'>,
  answer: Answer<Key, Result>,
  { maxBatchSize = MAX_BATCH, writes = false }: Options = {},
): (key: Key) => Promise<Result> {
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
  return key => (on.coalesces ? loader.load(key) : alone(answer, key))
}

/** As `coalesce`, for callers that say where it runs. */
export function coalesced<Key, Result>(
  answer: (on: Executor, keys: readonly Key[]) => Promise<(Result | Error)[]>,
): (on: Executor, key: Key) => Promise<Result> {
  const known = new WeakMap<Executor, (key: Key) => Promise<Result>>()
  return (on, key) => {
    const load = known.get(on) ?? coalesce<Key, Result>(on, keys => answer(on, keys))
    known.set(on, load)
    return load(key)
  }
}

async function alone<Key, Result>(answer: Answer<Key, Result>, key: Key): Promise<Result> {
  const [result] = await answer([key])
  if (result instanceof Error) throw result
  return result as Result
}

/** Sends each key by itself, all at once: on a pipelined client that is one round trip. */
const apart = <Key, Result>(answer: Answer<Key, Result>, keys: readonly Key[]): Promise<(Result | Error)[]> =>
  Promise.all(keys.map(key => alone(answer, key).catch((error: Error) => error)))
