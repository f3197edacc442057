import { and, eq, isNull, sql } from 'drizzle-orm'
import { batchOf, deletionOf } from '../../../database/batches.ts'
import { defineList } from '../../../database/list.ts'
import { one, type Params, statement } from '../../../database/statement.ts'
import type { PlatformRole } from '../../../lib/access.ts'
import { users } from '../../users/tables.ts'
import { Session } from '../schemas/sessions.ts'
import { sessions } from '../tables.ts'

/** A session ends 90 days after its start, or after 30 days without use. */
const ABSOLUTE = sql.raw(`interval '90 days'`)
const IDLE = sql.raw(`interval '30 days'`)
/** How long the previous refresh token may be used again, for lost responses and two tabs. */
const REPLAY = sql.raw(`interval '10 seconds'`)

interface NewSession {
  id: string
  userId: string
  address: string | null
  userAgent: string | null
}

interface LiveSession {
  id: string
  userId: string
  generation: number
  role: PlatformRole
}

/**
 * Returns undefined when the user is not active. The row lock makes it wait for a transaction that deactivates the
 * user, and the other way round.
 */
export const insertSession = one(
  statement(
    'sessions.insert',
    (_, $: Params<NewSession>) => sql<LiveSession>`
      with owner as (select id, role from ${users} where id = ${$.userId} and status = 'active' for share),
      inserted as (
        insert into ${sessions} (id, user_id, address, user_agent, expires_at)
        select ${$.id}, id, ${$.address}, ${$.userAgent}, now() + ${ABSOLUTE} from owner
        returning id, user_id, generation
      )
      select i.id, i.user_id, i.generation, o.role from inserted i join owner o on o.id = i.user_id`,
  ),
)

const unended = sql`s.ended_at is null and s.expires_at > now() and s.last_used_at > now() - ${IDLE}`
const alive = sql`${unended} and u.status = 'active'`

interface Rotation {
  id: string
  generation: number
  address: string | null
  userAgent: string | null
}

/**
 * Moves the session to its next generation; undefined when `generation` is not the current one or the session is not
 * live.
 */
export const rotateSession = one(
  statement(
    'sessions.rotate',
    (_, $: Params<Rotation>) => sql<LiveSession>`
      update ${sessions} s set generation = s.generation + 1, last_used_at = now(),
        address = ${$.address}, user_agent = ${$.userAgent}
      from ${users} u
      where s.id = ${$.id} and s.generation = ${$.generation} and u.id = s.user_id and ${alive}
      returning s.id, s.user_id, s.generation, u.role`,
  ),
)

/** Finds a live session; `replayable` is true while the previous refresh token still gets the same successor. */
export const findSession = one(
  statement(
    'sessions.find',
    (_, $: Params<{ id: string }>) => sql<LiveSession & { replayable: boolean }>`
      select s.id, s.user_id, s.generation, u.role, s.last_used_at > now() - ${REPLAY} as replayable
      from ${sessions} s join ${users} u on u.id = s.user_id where s.id = ${$.id} and ${alive}`,
  ),
)

/** Finds the session if it began within the last `seconds`. */
export const findRecentSession = one(
  statement('sessions.find_recent', (db, $: Params<{ id: string; seconds: number }>) =>
    db
      .select({ id: sessions.id })
      .from(sessions)
      .where(and(eq(sessions.id, $.id), sql`${sessions.createdAt} > now() - make_interval(secs => ${$.seconds})`)),
  ),
)

/** Lists the sessions that ended in the last `withinSeconds`; every node polls this. */
export const listEndedSessions = statement('sessions.ended', (db, $: Params<{ withinSeconds: number }>) =>
  db
    .select({ id: sessions.id })
    .from(sessions)
    .where(sql`${sessions.endedAt} > now() - make_interval(secs => ${$.withinSeconds})`),
)

const ended = { id: sessions.id, userId: sessions.userId }

export const endSession = statement('sessions.end', (db, $: Params<{ id: string; userId: string }>) =>
  db
    .update(sessions)
    .set({ endedAt: sql`now()` })
    .where(and(eq(sessions.id, $.id), eq(sessions.userId, $.userId), isNull(sessions.endedAt)))
    .returning(ended),
)

/** Ends all sessions of the user except `except`; null means no exception. */
export const endSessions = statement('sessions.end_all', (db, $: Params<{ userId: string; except: string | null }>) =>
  db
    .update(sessions)
    .set({ endedAt: sql`now()` })
    .where(
      and(
        eq(sessions.userId, $.userId),
        isNull(sessions.endedAt),
        sql`${sessions.id} is distinct from ${$.except}::uuid`,
      ),
    )
    .returning(ended),
)

/** Deletes sessions that ended, expired or became idle more than `days` ago. */
export const deleteEndedSessions = batchOf(
  statement('sessions.delete_ended', (_, $: Params<{ days: number }>) =>
    deletionOf(
      sessions,
      sql`least(ended_at, expires_at, last_used_at + ${IDLE}) < now() - make_interval(days => ${$.days})`,
    ),
  ),
)

const byId = { on: sql`s.id`, key: 'id', type: 'uuid' } as const

/** Lists the live sessions of a user; `current` marks the session `sessionId`. */
export const listSessions = defineList<Session, { userId: string }, object, { sessionId: string }>({
  name: 'sessions.list',
  item: Session,
  columns: sql`id, address, user_agent, created_at, last_used_at, expires_at,
    id = ${sql.placeholder('sessionId')}::uuid as current`,
  from: sql`${sessions} s`,
  where: $ => sql`s.user_id = ${$.userId} and ${unended}`,
  id: byId,
  sorts: { createdAt: byId },
  defaultSort: '-createdAt',
})
