import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'

/**
 * The rows and events that a write changes besides the row that its path or response names; contract tests check this
 * for every route.
 */
export interface Effects {
  /**
   * Further tables: `['sessions', 'jobs.job']`. Not listed are rows deleted by a foreign key, events, and the responses
   * stored for idempotency keys.
   */
  affects?: readonly string[]
  /** The types of the recorded events, unless there is exactly one for each changed row that events describe. */
  records?: readonly string[]
  /** Those of them that the system records after the handler, before the response ends. */
  bySystem?: readonly string[]
}

declare module 'fastify' {
  interface FastifyContextConfig extends Effects {}
  interface FastifyInstance {
    /** The declared effects, by `operationId`. */
    readonly effects: ReadonlyMap<string, Effects>
  }
}

async function effects(app: FastifyInstance) {
  const declared = new Map<string, Effects>()
  app.decorate('effects', declared)
  app.addHook('onRoute', ({ config, schema }) => {
    const { affects, records, bySystem } = config ?? {}
    if (!schema?.operationId || !(affects || records)) return
    const optional = { ...(records ? { records } : {}), ...(bySystem ? { bySystem } : {}) }
    declared.set(schema.operationId, { ...(affects ? { affects } : {}), ...optional })
  })
}

export const effectsPlugin = fp(effects, { name: 'effects' })
