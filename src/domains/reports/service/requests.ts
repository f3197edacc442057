import type { FastifyInstance } from 'fastify'
import { addRequests } from '../queries/usage.ts'

const FLUSH_MS = 10_000

/** Writes what was counted since the last time in one statement; what cannot be written is kept for the next time. */
async function flush({ database, log, requestCounts }: FastifyInstance): Promise<void> {
  const counts = requestCounts.take()
  if (counts.length === 0) return
  try {
    await addRequests(database.writes, { counts: JSON.stringify(counts) })
  } catch (error) {
    log.warn({ reason: (error as Error).message }, 'counts of requests are written later')
    requestCounts.restore(counts)
  }
}

/** Writes the counts of requests every ten seconds, and at the end. */
export function keepRequestCounts(app: FastifyInstance): void {
  const timer = setInterval(() => void flush(app), FLUSH_MS).unref()
  app.addHook('preClose', async () => clearInterval(timer))
  app.addHook('onClose', () => flush(app))
}
