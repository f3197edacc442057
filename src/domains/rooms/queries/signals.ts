import { sql } from 'drizzle-orm'
import { type Params, statement } from '../../../database/statement.ts'

/** The channel of the notifications by which processes tell each other who is present and typing in rooms. */
export const SIGNALS = 'room_signals'

export const notifyRooms = statement(
  'rooms.notify',
  (_, $: Params<{ payload: string }>) => sql`select pg_notify('${sql.raw(SIGNALS)}', ${$.payload})`,
)
