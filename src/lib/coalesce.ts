import DataLoader from 'dataloader'

/** Past this, larger batches no longer lower the cost of a row. */
const MAX_BATCH = 256
/** While one batch is worked on the next is on its way: neither side waits for the other. A third brings nothing more. */
const MAX_IN_FLIGHT = 2

/**
 * Gathers the calls that arrive while batches are out into the next batch. Until then a batch leaves at the end of the
 * current turn of the event loop, so a lone call waits for nobody. Every result belongs to its call alone:
 * nothing is cached. `answer` returns one result, or an Error, for each key in order; a rejection rejects the batch.
 */
export function coalesce<Key, Result>(
  answer: (keys: readonly Key[]) => Promise<(Result | Error)[]>,
  maxBatchSize = MAX_BATCH,
) {
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
  return (key: Key): Promise<Result> => loader.load(key)
}
