import { contains } from '../../../database/text.ts'
import { defineResource } from '../../../events/resource.ts'
import { chatEvents } from '../events.ts'
import { Chat } from '../schemas.ts'
import { chats as table } from '../tables.ts'

export const chats = defineResource<typeof Chat, { search?: string }>({
  noun: 'chat',
  collection: 'chats',
  parent: 'organization',
  table,
  item: Chat,
  events: chatEvents,
  filters: { search: $ => contains(table.title, $.search) },
})
