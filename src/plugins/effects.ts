import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'

/** What a write changes beyond the row that its path or its answer names; the contract tests hold every route to it. */
export interface Effects {
  /**
   * Further tables: `['sessions', 'jobs.job']`. What goes along by a foreign key needs no mention, nor do events and the
   * answers kept for idempotency keys.
   */
  affects?: readonly string[]
  /** The types of the events, where they are not one for each row that is changed and is the target of events. */
  records?: readonly string[]
}

declare module 'fastify' {
  interface FastifyContextConfig extends Effects {}
  interface FastifyInstance {
    /** The declared effects of every operation that has some, by `operationId`. */
    readonly effects: ReadonlyMap<string, Effects>
  }
}

async function effects(app: FastifyInstance) {
  const declared = new Map<string, Effects>()
  app.decorate('effects', declared)
  app.addHook('onRoute', ({ config, schema }) => {
    const { affects, records } = config ?? {}
    if ((affects || records) && schema?.operationId)
      declared.set(schema.operationId, { ...(affects ? { affects } : {}), ...(records ? { records } : {}) })
  })
}

export const effectsPlugin = fp(effects, { name: 'effects' })
