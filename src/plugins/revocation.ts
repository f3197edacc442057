import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import { REVOCATION_SECONDS } from '../lib/access.ts'

declare module 'fastify' {
  interface FastifyInstance {
    /** Ended sessions whose access tokens may still be valid. */
    revocations: Revocations
  }
}

/** The ended sessions that this node knows of. Every request checks them, so they are only in memory. */
export class Revocations {
  /** Sessions in the order of their end, each with the time (ms) when its last access token has expired. */
  readonly #untilMs = new Map<string, number>()

  add(sessionIds: Iterable<string>): void {
    const now = performance.now()
    for (const id of sessionIds) if (!this.#untilMs.has(id)) this.#untilMs.set(id, now + REVOCATION_SECONDS * 1000)
    for (const [id, untilMs] of this.#untilMs) {
      if (untilMs > now) break
      this.#untilMs.delete(id)
    }
  }

  has(sessionId: string): boolean {
    return this.#untilMs.has(sessionId)
  }
}

async function revocation(app: FastifyInstance) {
  app.decorate('revocations', new Revocations())
}

export const revocationPlugin = fp(revocation, { name: 'revocation' })
