import { defineEvents } from '../../events/registry.ts'
import { Chat, ChatMessage } from './schemas.ts'

export const chatEvents = defineEvents('chat', { created: Chat, updated: Chat, deleted: Chat })

export const chatMessageEvents = defineEvents('chat_message', {
  created: ChatMessage,
  completed: ChatMessage,
  stopped: ChatMessage,
  interrupted: ChatMessage,
  failed: ChatMessage,
})
