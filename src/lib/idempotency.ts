/** The answer to a request, as it is kept for its idempotency key. */
export interface KeptAnswer {
  /** The hash of tenant, principal and key. */
  id: Buffer
  fingerprint: Buffer
  status: number
  /** Null when the response contained a secret, which is never stored. */
  body: string | null
  location: string | null
  etag: string | null
}

/** An idempotency key whose answer the handler keeps by itself, in a statement that many requests share. */
export interface Claim {
  /** Returns the answer to keep, and sets its status and location on the reply. */
  answer(status: number, payload: { version: number }, location: string): KeptAnswer
}

/**
 * Thrown by a handler with a claim when the shared statement left its request out: nothing was written, and the request
 * is run again by itself, in a transaction.
 */
export class LeftOut extends Error {
  constructor() {
    super('left out of a shared statement')
  }
}
