import type { FastifyInstance } from 'fastify'
import type { Transaction } from '../../../database/client.ts'
import { invalidParameter } from '../../../lib/errors.ts'
import { findPastDays, findUsage, keepDay } from '../queries/usage.ts'
import type { Usage, UsageQuery } from '../schemas/usage.ts'

const DAY_MS = 86_400_000
const USUAL_DAYS = 30
const MOST_DAYS = 366

/** As early as a time of the API can be. */
const FIRST_DAY = Date.parse('0001-01-01T00:00:00.000Z')

/** Returns the beginning of the day of a time, in milliseconds. */
const startOf = (time: string): number => Date.parse(`${time.slice(0, 10)}T00:00:00.000Z`)

/** Throws `validation_failed`. */
export async function usageOf(
  { database }: Pick<FastifyInstance, 'database'>,
  organizationId: string,
  query: UsageQuery,
): Promise<Usage> {
  const last = startOf(query.to ?? new Date().toISOString())
  const first = query.from === undefined ? Math.max(FIRST_DAY, last - (USUAL_DAYS - 1) * DAY_MS) : startOf(query.from)
  if (first > last) throw invalidParameter('from', 'is after to')
  if (last - first >= MOST_DAYS * DAY_MS) throw invalidParameter('from', `is ${MOST_DAYS} days or more before to`)
  const [from, to] = [new Date(first).toISOString(), new Date(last).toISOString()]
  return { organizationId, from, to, days: await findUsage(database, { organizationId, from, to }) }
}

/** Days in one transaction. */
const BATCH_DAYS = 10

/** Keeps the usage of days that are over, also after a long standstill. Returns whether there are more. */
export async function keepUsage(tx: Transaction): Promise<boolean> {
  const days = await findPastDays(tx, { limit: BATCH_DAYS })
  for (const { day } of days) await keepDay(tx, { day })
  return days.length === BATCH_DAYS
}
