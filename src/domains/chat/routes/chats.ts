import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { resourceRoutes } from '../../../plugins/resources.ts'
import { chats } from '../queries/chats.ts'
import { ChatsQuery, CreateChat, UpdateChat } from '../schemas.ts'
import { deleteChat } from '../service/asking.ts'

export const chatRoutes: FastifyPluginAsyncTypebox = async app => {
  const resource = {
    ...chats,
    delete: (...[caller, id, ifMatch]: Parameters<typeof chats.delete>) => deleteChat(app, caller, id, ifMatch),
  }
  resourceRoutes(app, resource, {
    create: { access: ['member', 'chat:write'], body: CreateChat },
    list: { access: ['viewer', 'chat:read'], querystring: ChatsQuery },
    get: { access: ['viewer', 'chat:read'] },
    update: { access: ['member', 'chat:write'], body: UpdateChat },
    delete: {
      access: ['member', 'chat:write'],
      summary: 'Delete a chat with its messages; a running answer is stopped',
    },
  })
}
