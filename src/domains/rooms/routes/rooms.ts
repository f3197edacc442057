import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { asUser, member, signedIn } from '../../../lib/access.ts'
import { orNotFound, problems } from '../../../lib/errors.ts'
import { Nothing } from '../../../lib/schema.ts'
import { resourceRoutes } from '../../../plugins/resources.ts'
import { route } from '../../../plugins/routes.ts'
import { roomErrors } from '../errors.ts'
import { listJoinedRooms, listRoomMembers, rooms } from '../queries/rooms.ts'
import {
  CreateRoom,
  JoinedRoomList,
  JoinedRoomsQuery,
  MarkRead,
  Room,
  RoomMember,
  RoomMemberList,
  RoomMembersQuery,
  RoomsQuery,
  UpdateRoom,
} from '../schemas.ts'
import { createRoom, joinRoom, leaveRoom, markRead } from '../service/rooms.ts'

/** No scope: an API key writes without joining. */
const own = member('viewer', 'room')

export const roomRoutes: FastifyPluginAsyncTypebox = async app => {
  route(app, {
    method: 'POST',
    url: '/organizations/:id/rooms',
    config: {
      access: member('member', 'organization', 'rooms:write'),
      affects: ['room_members'],
      records: ['room.created', 'room_member.joined'],
    },
    schema: {
      operationId: 'createRoom',
      summary: 'Create a room, and join it',
      body: CreateRoom,
      response: { 201: Room },
    },
    handler: ({ caller, organizationId, body }) => createRoom(caller, { organizationId, ...body }),
  })

  resourceRoutes(app, rooms, {
    list: { access: ['viewer', 'rooms:read'], querystring: RoomsQuery },
    get: { access: ['viewer', 'rooms:read'] },
    update: { access: ['member', 'rooms:write'], body: UpdateRoom },
    delete: { access: ['admin', 'rooms:write'], summary: 'Delete a room with its messages' },
  })

  route(app, {
    method: 'POST',
    url: '/rooms/:id/join',
    config: { access: own, changes: 'me', affects: ['room_members'], records: ['room_member.joined'] },
    schema: {
      operationId: 'joinRoom',
      summary: 'Join a room',
      description: 'The read marker begins at the newest message. Joining again changes nothing.',
      response: { 200: RoomMember, ...problems(412) },
    },
    handler: ({ caller, actor, params, ifMatch }) =>
      joinRoom(caller, { roomId: params.id, userId: asUser(actor).id }, ifMatch),
  })

  route(app, {
    method: 'POST',
    url: '/rooms/:id/leave',
    config: { access: own, changes: 'me', affects: ['room_members'], records: ['room_member.left'] },
    schema: {
      operationId: 'leaveRoom',
      summary: 'Leave a room',
      response: { 204: Nothing, ...problems(412, roomErrors.not_in_room) },
    },
    handler: async ({ caller, actor, params, ifMatch }) =>
      void (await leaveRoom(caller, { roomId: params.id, userId: asUser(actor).id }, ifMatch)),
  })

  route(app, {
    method: 'POST',
    url: '/rooms/:id/read',
    config: { access: own, changes: null, affects: ['room_members'], records: [] },
    schema: {
      operationId: 'markRoomRead',
      summary: 'Move the read marker',
      description: 'It only moves forward, up to the newest message. No event is recorded.',
      body: MarkRead,
      response: { 200: RoomMember, ...problems(412, roomErrors.not_in_room) },
    },
    handler: ({ caller, actor, params, body, ifMatch }) =>
      markRead(caller, { roomId: params.id, userId: asUser(actor).id, ...body }, ifMatch),
  })

  route(app, {
    method: 'GET',
    url: '/rooms/:id/members',
    config: { access: member('viewer', 'room', 'rooms:read') },
    schema: {
      operationId: 'listRoomMembers',
      summary: 'Who has joined a room, and up to where each has read',
      querystring: RoomMembersQuery,
      response: { 200: RoomMemberList },
    },
    handler: async ({ params, query }) =>
      orNotFound(await listRoomMembers(app.database, { roomId: params.id }, {}, query)),
  })

  route(app, {
    method: 'GET',
    url: '/users/me/rooms',
    config: { access: signedIn },
    schema: {
      operationId: 'listMyRooms',
      summary: 'The rooms that the caller has joined, with the number of unread messages',
      querystring: JoinedRoomsQuery,
      response: { 200: JoinedRoomList },
    },
    handler: async ({ actor, query }) =>
      orNotFound(await listJoinedRooms(app.database, { userId: asUser(actor).id }, {}, query)),
  })
}
