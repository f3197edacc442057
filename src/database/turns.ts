import pLimit, { type LimitFunction } from 'p-limit'
import { requestErrors } from '../lib/errors.ts'

interface Queue {
  limit: LimitFunction
  /** Those who wait, and those whose turn it is. */
  present: number
}

/** One that works, and one that is as far as it can get: without it each would begin only when the one before has ended. */
const AT_ONCE = 2

/** Lets few of those who name the same id work at once, in the order in which they came. */
export class Turns {
  readonly #queues = new Map<string, Queue>()
  readonly #patienceMs: number

  constructor(patienceMs: number) {
    this.#patienceMs = patienceMs
  }

  /** Throws `handler_timeout` when the turn does not come in time; `work` is not done then. */
  async of<T>(id: string, work: () => Promise<T>): Promise<T> {
    const queue = this.#queues.get(id) ?? { limit: pLimit(AT_ONCE), present: 0 }
    this.#queues.set(id, queue)
    const hasTurn = ++queue.present <= AT_ONCE
    try {
      return await (hasTurn ? queue.limit(work) : this.#inTime(queue.limit, work))
    } finally {
      if (--queue.present === 0) this.#queues.delete(id)
    }
  }

  #inTime<T>(limit: LimitFunction, work: () => Promise<T>): Promise<T> {
    const { promise, resolve, reject } = Promise.withResolvers<T>()
    let isLate = false
    const late = setTimeout(() => {
      isLate = true
      reject(requestErrors.handler_timeout())
    }, this.#patienceMs)
    void limit(async () => {
      clearTimeout(late)
      if (!isLate) await work().then(resolve, reject)
    })
    return promise
  }
}
