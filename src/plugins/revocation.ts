import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import { REVOCATION_SECONDS } from '../lib/access.ts'

declare module 'fastify' {
  interface FastifyInstance {
    /** Sessions that have ended while access tokens of theirs may still be valid. */
    revocations: Revocations
  }
}

/** What a node knows of ended sessions; every request asks, so it is in memory and nothing else. */
export class Revocations {
  /** In the order of their end, each with the time when the last of its tokens has expired. */
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
