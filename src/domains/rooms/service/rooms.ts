import { type Caller, userIdOf, within } from '../../../events/caller.ts'
import { record } from '../../../events/record.ts'
import { orNotFound, requireVersion } from '../../../lib/errors.ts'
import { roomErrors } from '../errors.ts'
import { roomMemberEvents } from '../events.ts'
import { deleteRoomMember, findRoomMember, insertRoomMember, moveReadMarker, rooms } from '../queries/rooms.ts'
import type { CreateRoom } from '../schemas.ts'

type Key = { roomId: string; userId: string }

const reference = (member: Key & { organizationId: string }) => ({ id: member.userId, ...member })

/** Creates a room; a user who does it is in it. */
export const createRoom = (caller: Caller, room: CreateRoom & { id?: string; organizationId: string }) =>
  caller.transaction(async tx => {
    const created = await rooms.create(within(tx, caller), room)
    const userId = userIdOf(caller)
    const joined = userId === null ? undefined : await insertRoomMember(tx, { roomId: created.id, userId })
    if (joined) await record(tx, caller, roomMemberEvents.joined, reference(joined))
    return created
  })

/** Changes and records nothing when the user is in the room already. Throws `not_found`, `precondition_failed`. */
export const joinRoom = (caller: Caller, key: Key, ifMatch: number[] | null) =>
  caller.transaction(async tx => {
    requireVersion(orNotFound(await rooms.find(tx, { id: key.roomId })), ifMatch)
    const joined = await insertRoomMember(tx, key)
    if (joined) await record(tx, caller, roomMemberEvents.joined, reference(joined))
    return orNotFound(await findRoomMember(tx, key))
  })

/** Throws `not_found`, `not_in_room`, `precondition_failed`. */
export const leaveRoom = (caller: Caller, key: Key, ifMatch: number[] | null) =>
  caller.transaction(async tx => {
    requireVersion(orNotFound(await rooms.find(tx, { id: key.roomId })), ifMatch)
    const left = await deleteRoomMember(tx, key)
    if (!left) throw roomErrors.not_in_room()
    await record(tx, caller, roomMemberEvents.left, reference(left))
  })

/** Throws `not_found`, `not_in_room`, `precondition_failed`. */
export const markRead = (caller: Caller, key: Key & { sequence: number }, ifMatch: number[] | null) =>
  caller.transaction(async tx => {
    requireVersion(orNotFound(await rooms.find(tx, { id: key.roomId })), ifMatch)
    await moveReadMarker(tx, key)
    const member = await findRoomMember(tx, key)
    if (!member) throw roomErrors.not_in_room()
    return member
  })
