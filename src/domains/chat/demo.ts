import type { Transaction } from '../../database/client.ts'
import { type Caller, within } from '../../events/caller.ts'
import { record } from '../../events/record.ts'
import { demoId } from '../../lib/demo.ts'
import { orNotFound } from '../../lib/errors.ts'
import { demoOrganizationId } from '../organizations/demo.ts'
import { demoUserId } from '../users/demo.ts'
import { chatMessageEvents } from './events.ts'
import { chats } from './queries/chats.ts'
import { insertQuestion } from './queries/messages.ts'

export const demoChatId = demoId(400)

export async function insertDemoChat(tx: Transaction, caller: Caller): Promise<void> {
  const organizationId = demoOrganizationId
  await chats.create(within(tx, caller), { id: demoChatId, organizationId, title: 'Release notes' })
  const question = { id: demoId(401), organizationId, chatId: demoChatId, authorId: demoUserId }
  const asked = await insertQuestion(tx, { ...question, content: 'Which task should be in the release notes?' })
  await record(tx, caller, chatMessageEvents.created, orNotFound(asked))
}
