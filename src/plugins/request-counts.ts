import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'

/** Requests of an organization's API keys on a day of UTC. */
export interface RequestCount {
  organizationId: string
  /** `2026-01-31`. */
  day: string
  requests: number
}

declare module 'fastify' {
  interface FastifyInstance {
    requestCounts: {
      /** Returns what was counted since the last time, and forgets it. */
      take(): RequestCount[]
      /** Adds counts again that could not be written. */
      restore(counts: readonly RequestCount[]): void
    }
  }
}

/** Counts the answers to API keys, by organization and day, in memory. */
async function requestCounts(app: FastifyInstance) {
  let counts = new Map<string, RequestCount>()
  const add = ({ organizationId, day, requests }: RequestCount) => {
    const key = `${day} ${organizationId}`
    counts.set(key, { organizationId, day, requests: requests + (counts.get(key)?.requests ?? 0) })
  }
  const today = clockOfDays()
  app.addHook('onResponse', ({ actor }, _reply, done) => {
    if (actor?.type === 'api_key') add({ organizationId: actor.organizationId, day: today(), requests: 1 })
    done()
  })
  app.decorate('requestCounts', {
    take() {
      const taken = [...counts.values()]
      counts = new Map()
      return taken
    },
    restore: taken => taken.forEach(add),
  })
}

const DAY_MS = 86_400_000

/** Returns the day of now; its text is made once a day, because every request asks. */
function clockOfDays(): () => string {
  let number = -1
  let day = ''
  return () => {
    const now = Math.floor(Date.now() / DAY_MS)
    if (now !== number) day = new Date(now * DAY_MS).toISOString().slice(0, 10)
    number = now
    return day
  }
}

export const requestCountsPlugin = fp(requestCounts, { name: 'request-counts', dependencies: ['auth'] })
