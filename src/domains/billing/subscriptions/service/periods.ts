import { DateTime } from 'luxon'

export type Interval = 'day' | 'week' | 'month' | 'year'

/** The unit and the number of units of a recurring price. */
export interface Recurrence {
  interval: Interval
  intervalCount: number
}

const DAY_MS = 86_400_000

/**
 * Returns the time `cycles` periods after the anchor, in UTC. It is counted from the anchor and not from the period
 * before, so that a day that a month lacks comes back: 31 January, 28 February, 31 March.
 */
export const afterAnchor = (anchorAt: string, { interval, intervalCount }: Recurrence, cycles: number): string =>
  DateTime.fromISO(anchorAt, { zone: 'utc' })
    .plus({ [interval]: intervalCount * cycles })
    .toJSDate()
    .toISOString()

export const afterDays = (time: string, days: number): string => afterMs(time, days * DAY_MS)

export const afterMs = (time: string, ms: number): string => new Date(Date.parse(time) + ms).toISOString()

export const msBetween = (from: string, to: string): number => Date.parse(to) - Date.parse(from)
