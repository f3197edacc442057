import type { FastifyInstance } from 'fastify'
import type { Transaction } from '../../../database/client.ts'
import { invalidParameter } from '../../../lib/errors.ts'
import { findPastDays, findUsage, keepDay } from '../queries.ts'
import type { Usage, UsageQuery } from '../schemas.ts'

const DAY_MS = 86_400_000
const USUAL_DAYS = 30
const MOST_DAYS = 366

const dayOf = (time: number): string => new Date(time).toISOString().slice(0, 10)
const startOf = (day: string): string => `${day}T00:00:00.000Z`

/** Throws `validation_failed`. */
export async function usageOf(
  { database }: Pick<FastifyInstance, 'database'>,
  organizationId: string,
  query: UsageQuery,
): Promise<Usage> {
  const to = query.to === undefined ? dayOf(Date.now()) : query.to.slice(0, 10)
  const from = query.from?.slice(0, 10) ?? dayOf(Date.parse(startOf(to)) - (USUAL_DAYS - 1) * DAY_MS)
  const count = (Date.parse(startOf(to)) - Date.parse(startOf(from))) / DAY_MS + 1
  if (count < 1) throw invalidParameter('from', 'is after to')
  if (count > MOST_DAYS) throw invalidParameter('from', `is more than ${MOST_DAYS} days before to`)
  const days = await findUsage(database, { organizationId, from, to })
  return { organizationId, from: startOf(from), to: startOf(dayOf(Date.parse(startOf(to)) + DAY_MS)), days }
}

/** Keeps the usage of the days that are over. */
export async function keepUsage(tx: Transaction): Promise<void> {
  for (const { day } of await findPastDays(tx, {})) await keepDay(tx, { day })
}
