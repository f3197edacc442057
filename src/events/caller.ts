import type { Transaction } from '../database/client.ts'
import type { Claim } from '../lib/idempotency.ts'

/** The actor of a write, the origin of the request, and how to get its transaction. */
export interface Caller {
  actor: { type: 'user' | 'api_key' | 'system'; id: string | null }
  address: string | null
  userAgent: string | null
  requestId: string | null
  /** W3C trace context, passed on to jobs. */
  traceparent: string | null
  /** Whether `transaction` joins one that is already open, as with an idempotency key. */
  joined: boolean
  /** Set where the handler keeps the answer for the idempotency key itself; then nothing is joined. */
  claim: Claim | null
  transaction<T>(work: (tx: Transaction) => Promise<T>): Promise<T>
}

/** Returns the caller of the same request on behalf of `userId`, for signing in and registration. */
export const onBehalfOf = (caller: Caller, userId: string): Caller => ({
  ...caller,
  actor: { type: 'user', id: userId },
})

/** The same actor, whose writes join the transaction `tx`. */
export const within = (tx: Transaction, caller: Caller): Caller => ({
  ...caller,
  joined: true,
  transaction: work => work(tx),
})

/** The caller for work of the system itself, inside `tx`. */
export const bySystem = (tx: Transaction): Caller => ({
  actor: { type: 'system', id: null },
  address: null,
  userAgent: null,
  requestId: null,
  traceparent: null,
  joined: true,
  claim: null,
  transaction: work => work(tx),
})

/** Returns the id of the user who acts; null for an API key or the system. */
export const userIdOf = ({ actor }: Caller): string | null => (actor.type === 'user' ? actor.id : null)
