import type { Transaction } from '../../database/client.ts'
import { type Caller, onBehalfOf, within } from '../../events/caller.ts'
import { record } from '../../events/record.ts'
import { demoId } from '../../lib/demo.ts'
import { orNotFound } from '../../lib/errors.ts'
import { demoOrganizationId } from '../organizations/demo.ts'
import { demoUserId, demoViewerId } from '../users/demo.ts'
import { messageEvents } from './events.ts'
import { insertMessage } from './queries/messages.ts'
import { createRoom, joinRoom } from './service/rooms.ts'

export const demoRoomId = demoId(500)
export const demoMessageId = demoId(501)

export async function insertDemoRoom(tx: Transaction, caller: Caller): Promise<void> {
  const here = within(tx, caller)
  const organizationId = demoOrganizationId
  const roomId = demoRoomId
  await createRoom(here, { id: roomId, organizationId, name: 'General', description: 'For everybody' })
  await joinRoom(onBehalfOf(here, demoViewerId), { roomId, userId: demoViewerId }, null)
  const shared = { organizationId, roomId, clientId: null }
  const messages = [
    { ...shared, id: demoMessageId, authorId: demoUserId, replyToId: null, body: 'Good morning, everybody!' },
    { ...shared, id: demoId(502), authorId: demoViewerId, replyToId: demoMessageId, body: 'Good morning to you.' },
  ]
  for (const message of messages) {
    const author = onBehalfOf(here, message.authorId)
    await record(tx, author, messageEvents.created, orNotFound(await insertMessage(tx, message)))
  }
}
