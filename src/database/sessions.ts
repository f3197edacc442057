import { randomUUID } from 'node:crypto'
import type { Socket } from 'node:net'
import pg from 'pg'
import { connectionOptions } from './client.ts'
import { Servers } from './servers.ts'

/** What sessions must have, whoever sets it; the values of the time limits are not looked at. */
const SETTINGS = `
  select current_setting('TimeZone') = 'UTC' and current_setting('DateStyle') like 'ISO%'
    and current_setting('plan_cache_mode') = 'force_generic_plan' and current_setting('statement_timeout') <> '0'
    and current_setting('lock_timeout') <> '0' as hold, set_config('lintel.session', $1, false)`
const KEPT = `select current_setting('lintel.session', true) = $1 as kept`
/** A server that has answered once and then takes longer (ms) is silent. */
const ANSWER_MS = 5_000
/** A pooler answers so to settings that it does not pass on, and to a transaction that it does not allow. */
const PROTOCOL_VIOLATION = '08P01'

/** A member of the driver's client that its published type lacks. */
interface Connection {
  stream: Socket
}

/** The message is one sentence for the operator. */
export class NoSessions extends Error {
  constructor(what: string) {
    super(
      `DATABASE_URL leads to a pooler that ${what}: set it to PostgreSQL itself, or to a pool by session as docs/operations.md says.`,
    )
  }
}

/**
 * Checks that a connection is one session of the server, with the settings that it asks for. A pooler by transaction is
 * found out by a second connection, whose transaction takes the server that the first one had. `boundMs` is how long a
 * start waits for the server. Throws `NoSessions`.
 */
export async function checkSessions(url: string, boundMs: number): Promise<void> {
  const servers = new Servers(url)
  const clients: pg.Client[] = []
  const open = async (connectionTimeoutMillis: number) => {
    const options = { ...connectionOptions(url), connectionTimeoutMillis, query_timeout: ANSWER_MS }
    const client = await servers.open(() => new pg.Client(options).on('error', () => {}))
    clients.push(client)
    return client
  }
  try {
    const [one, other] = [await open(boundMs), await open(ANSWER_MS)]
    const token = randomUUID()
    const { rows: first } = await one.query(SETTINGS, [token])
    if (!first[0].hold) throw new NoSessions('does not pass on the settings of a session')
    await other.query('begin')
    await other.query('select')
    const { rows } = await one.query(KEPT, [token])
    if (!rows[0].kept) throw new NoSessions('changes the server between transactions')
    await Promise.all(clients.map(client => client.end()))
  } catch (error) {
    const { code, message } = error as { code?: string; message: string }
    throw code === PROTOCOL_VIOLATION ? new NoSessions(`keeps no sessions (${message})`) : error
  } finally {
    // A silent server answers no goodbye.
    for (const client of clients) (client as unknown as { connection: Connection }).connection.stream.destroy()
  }
}
