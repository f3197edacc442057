import DataLoader from 'dataloader'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { Executor } from '../../database/executor.ts'
import { type Actor, type Principal, principalOf } from '../../lib/access.ts'
import { graphqlErrors } from './errors.ts'

/** One request for the graph, while it is executed. */
export class GraphContext {
  readonly request: FastifyRequest
  readonly operationName: string | undefined
  readonly #database: Executor
  readonly #loaders = new Map<string, DataLoader<unknown, unknown, string>>()
  readonly #made = new Map<string, unknown>()
  #failed = false

  constructor({ database }: FastifyInstance, request: FastifyRequest, operationName: string | undefined) {
    this.#database = database
    this.request = request
    this.operationName = operationName
  }

  get actor(): Actor {
    return this.request.actor as Actor
  }

  get principal(): Principal {
    return principalOf(this.request.actor)
  }

  /** Where rows are read: in the transaction of an idempotency key they include what it has written. */
  get on(): Executor {
    return this.request.transaction ?? this.#database
  }

  /** Returns the loader with this name. It reads all keys of one level together, and each key once. */
  loader<Key, Value>(
    name: string,
    load: (keys: readonly Key[]) => Promise<(Value | Error)[]>,
    textOf: (key: Key) => string,
  ) {
    const known = this.#loaders.get(name) as DataLoader<Key, Value, string> | undefined
    if (known) return known
    const made = new DataLoader<Key, Value, string>(load, { cacheKeyFn: textOf })
    this.#loaders.set(name, made as DataLoader<unknown, unknown, string>)
    return made
  }

  /** Returns what `make` made for this name: many fields have the same arguments, which are checked once. */
  once<Made>(name: string, make: () => Made): Made {
    const known = this.#made.get(name) as Made | undefined
    const made = known ?? make()
    if (known === undefined) this.#made.set(name, made)
    return made
  }

  /**
   * Runs a mutation and forgets all rows that were read before it. In the transaction of an idempotency key nothing is
   * done after a failure: the transaction will be rolled back.
   */
  async mutate<Result>(work: () => Promise<Result>): Promise<Result> {
    if (this.#failed && this.request.transaction) throw graphqlErrors.graphql_rolled_back()
    try {
      return await work()
    } catch (error) {
      this.#failed = true
      throw error
    } finally {
      this.#loaders.clear()
      this.#made.clear()
    }
  }
}
