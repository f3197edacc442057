import type { FastifyInstance } from 'fastify'
import type { Domain } from '../../plugins/domains.ts'
import { demoMessageId, demoRoomId, insertDemoRoom } from './demo.ts'
import { messageRoutes } from './routes/messages.ts'
import { roomRoutes } from './routes/rooms.ts'
import { defineParticipation } from './service/participation.ts'
import { messageReactions, messages, roomMembers, rooms as table } from './tables.ts'

async function register(app: FastifyInstance) {
  await app.register(roomRoutes)
  await app.register(messageRoutes)
  defineParticipation(app)
}

export const rooms: Domain = {
  name: 'rooms',
  tag: { name: 'rooms', description: 'Rooms in which members write to each other, live by the socket.' },
  scopes: { 'rooms:read': 'Read rooms and their messages.', 'rooms:write': 'Write messages; create and change rooms.' },
  tenantTables: [
    { table, resource: 'room' },
    { table: roomMembers, grantsAccess: true },
    { table: messages, resource: 'message' },
    { table: messageReactions },
  ],
  demo: { ids: { rooms: demoRoomId, messages: demoMessageId }, insert: insertDemoRoom },
  register,
}
