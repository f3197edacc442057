import { Type } from '@sinclair/typebox'
import { defineEvents } from '../../events/registry.ts'
import { Id } from '../../lib/schema.ts'
import { Message, Room, RoomMember } from './schemas.ts'

const RoomMemberReference = Type.Object(
  { id: Id, ...Type.Pick(RoomMember, ['roomId', 'userId', 'organizationId']).properties },
  { title: 'RoomMemberReference' },
)

export const roomEvents = defineEvents('room', { created: Room, updated: Room, deleted: Room })
export const roomMemberEvents = defineEvents('room_member', { joined: RoomMemberReference, left: RoomMemberReference })
export const messageEvents = defineEvents('message', {
  created: Message,
  updated: Message,
  reacted: Message,
  deleted: Message,
})
