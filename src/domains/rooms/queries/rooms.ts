import { sql } from 'drizzle-orm'
import { defineList } from '../../../database/list.ts'
import { one, type Params, statement } from '../../../database/statement.ts'
import { contains } from '../../../database/text.ts'
import { defineResource } from '../../../events/resource.ts'
import { users } from '../../users/tables.ts'
import { roomEvents } from '../events.ts'
import { JoinedRoom, MAX_UNREAD, Room, RoomMember } from '../schemas.ts'
import { messages, roomMembers, rooms as table } from '../tables.ts'

export const rooms = defineResource<typeof Room, { search?: string }>({
  noun: 'room',
  collection: 'rooms',
  parent: 'organization',
  table,
  item: Room,
  events: roomEvents,
  filters: { search: $ => contains(table.name, $.search) },
})

/** Finds the organization of a room; `joined` says whether the user is in it. */
export const findRoomOf = one(
  statement(
    'rooms.of_writer',
    (_, $: Params<{ id: string; userId: string | null }>) => sql<{ organizationId: string; joined: boolean }>`
      select r.organization_id, exists (
        select from ${roomMembers} m where m.room_id = r.id and m.user_id = ${$.userId}::uuid) as joined
      from ${table} r where r.id = ${$.id}`,
  ),
)

type RoomMemberRow = RoomMember & { version: number }
type Key = { roomId: string; userId: string }

const memberColumns = sql`m.room_id, m.user_id, m.organization_id, u.name, m.last_read_sequence, m.version, m.created_at, m.updated_at`
const source = sql`${roomMembers} m join ${users} u on u.id = m.user_id`

/** Nothing is returned when the user is in the room already. */
export const insertRoomMember = one(
  statement(
    'room_members.insert',
    (_, $: Params<Key>) => sql<Key & { organizationId: string }>`
      insert into ${roomMembers} (room_id, user_id, organization_id, last_read_sequence)
      select r.id, ${$.userId}::uuid, r.organization_id, r.last_sequence from ${table} r where r.id = ${$.roomId}
      on conflict (room_id, user_id) do nothing returning room_id, user_id, organization_id`,
  ),
)

export const deleteRoomMember = one(
  statement(
    'room_members.delete',
    (_, $: Params<Key>) => sql<Key & { organizationId: string }>`
      delete from ${roomMembers} where room_id = ${$.roomId} and user_id = ${$.userId}
      returning room_id, user_id, organization_id`,
  ),
)

export const findRoomMember = one(
  statement(
    'room_members.find',
    (_, $: Params<Key>) => sql<RoomMemberRow>`
      select ${memberColumns} from ${source} where m.room_id = ${$.roomId} and m.user_id = ${$.userId}`,
  ),
)

/** Moves the read marker forward, not beyond the newest message. Returns nothing when it does not move. */
export const moveReadMarker = one(
  statement(
    'room_members.read',
    (_, $: Params<Key & { sequence: number }>) => sql<{ userId: string }>`
      update ${roomMembers} m set last_read_sequence = least(${$.sequence}::bigint, r.last_sequence),
        version = m.version + 1, updated_at = now()
      from ${table} r where r.id = m.room_id and m.room_id = ${$.roomId} and m.user_id = ${$.userId}
        and m.last_read_sequence < least(${$.sequence}::bigint, r.last_sequence)
      returning m.user_id`,
  ),
)

const byUser = { on: sql`m.user_id`, key: 'userId', type: 'uuid' } as const
const byJoining = { on: sql`m.created_at`, key: 'createdAt', type: 'timestamptz' } as const

export const listRoomMembers = defineList<RoomMember, { roomId: string }>({
  name: 'room_members.list',
  item: RoomMember,
  columns: memberColumns,
  from: source,
  where: $ => sql`m.room_id = ${$.roomId}`,
  id: byUser,
  sorts: { createdAt: byJoining },
  defaultSort: 'createdAt',
})

const byRoom = { on: sql`m.room_id`, key: 'roomId', type: 'uuid' } as const

/** Lists the rooms that a user has joined. A user counts unread messages only in rooms of the page. */
export const listJoinedRooms = defineList<JoinedRoom, { userId: string }, { organizationId?: string }>({
  name: 'room_members.of_user',
  item: JoinedRoom,
  columns: sql`m.room_id, m.organization_id, r.name, r.last_sequence, m.last_read_sequence,
    (select count(*) from (
      select from ${messages} n where n.room_id = m.room_id and n.sequence > m.last_read_sequence
        and n.author_id is distinct from m.user_id limit ${sql.raw(String(MAX_UNREAD))}) unread)::int as unread_count,
    m.created_at`,
  from: sql`${roomMembers} m join ${table} r on r.id = m.room_id`,
  where: $ => sql`m.user_id = ${$.userId}`,
  id: byRoom,
  sorts: { createdAt: byJoining },
  defaultSort: '-createdAt',
  filters: { organizationId: $ => sql`m.organization_id = ${$.organizationId}` },
})
