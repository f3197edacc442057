import type { FastifyInstance } from 'fastify'
import type { Domain } from '../../plugins/domains.ts'
import { demoChatId, insertDemoChat } from './demo.ts'
import { registerChatJobs } from './jobs.ts'
import { chatRoutes } from './routes/chats.ts'
import { messageRoutes } from './routes/messages.ts'
import { Answers } from './service/answers.ts'
import { AnswerFeed } from './service/feed.ts'
import { chatMessages, chats, chatUsage } from './tables.ts'

async function register(app: FastifyInstance) {
  const feed = new AnswerFeed(app)
  new Answers(app, feed)
  await app.register(chatRoutes)
  await app.register(messageRoutes, { feed })
  registerChatJobs(app)
}

export const chat: Domain = {
  name: 'chat',
  tag: { name: 'chat', description: 'Conversations with an assistant, answered as server-sent events.' },
  scopes: { 'chat:read': 'Read chats.', 'chat:write': 'Begin chats, ask, stop answers, rename and delete.' },
  tenantTables: [{ table: chatUsage }, { table: chats, resource: 'chat' }, { table: chatMessages }],
  demo: { ids: { chats: demoChatId }, insert: insertDemoChat },
  register,
}
