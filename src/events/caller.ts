import type { Transaction } from '../database/client.ts'

/** On whose behalf a write happens, where it came from, and the transaction that it belongs to. */
export interface Caller {
  actor: { type: 'user' | 'api_key' | 'system'; id: string | null }
  address: string | null
  userAgent: string | null
  requestId: string | null
  /** W3C trace context, passed on to jobs. */
  traceparent: string | null
  /** Whether `transaction` joins one that is already open, as it does under an idempotency key. */
  joined: boolean
  transaction<T>(work: (tx: Transaction) => Promise<T>): Promise<T>
}

/** The same request on behalf of `userId`: who signs in or registers acts for themselves. */
export const onBehalfOf = (caller: Caller, userId: string): Caller => ({
  ...caller,
  actor: { type: 'user', id: userId },
})

/** What the system does by itself, inside `tx`. */
export const bySystem = (tx: Transaction): Caller => ({
  actor: { type: 'system', id: null },
  address: null,
  userAgent: null,
  requestId: null,
  traceparent: null,
  joined: true,
  transaction: work => work(tx),
})

/** The user who acts; null for a key or the system. */
export const userIdOf = ({ actor }: Caller): string | null => (actor.type === 'user' ? actor.id : null)
