import { BATCH_ROWS } from '../../../database/batches.ts'
import type { Database } from '../../../database/client.ts'
import { auditErrors } from '../errors.ts'
import { feedCursors, type Place } from '../queries/events.ts'
import { findHorizonAfter, moveHorizon } from '../queries/retention.ts'

/** Moves the horizon as far as events are older than `days` days; returns it if it moved. */
export async function passHorizon(database: Database, days: number): Promise<Place | undefined> {
  let horizon: Place | undefined
  for (;;) {
    const moved = await moveHorizon(database, { days, limit: BATCH_ROWS })
    if (!moved) return horizon
    horizon = moved
  }
}

/** Whether events that follow the place may be gone. */
export const isExpired = async (database: Database, place: Place): Promise<boolean> =>
  (await findHorizonAfter(database, place)) !== undefined

/** Throws `cursor_expired`, and the errors of cursors that are not of this feed. */
export async function requireRetained(database: Database, cursor: string, organizationId: string, type?: string) {
  const place = feedCursors(organizationId, type === undefined ? {} : { type }).placeOf(cursor)
  if (await isExpired(database, place)) throw auditErrors.cursor_expired()
}
