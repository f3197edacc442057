import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { asUser, mayModerate, member, orPlatform } from '../../../lib/access.ts'
import { orNotFound, problems } from '../../../lib/errors.ts'
import { Nothing } from '../../../lib/schema.ts'
import { route } from '../../../plugins/routes.ts'
import { roomErrors } from '../errors.ts'
import { findMessage, listMessages } from '../queries/messages.ts'
import { CreateMessage, Message, MessageList, MessagesQuery, Reaction, UpdateMessage } from '../schemas.ts'
import { addReaction, createMessage, deleteMessage, removeReaction, updateMessage } from '../service/messages.ts'

/** No scope: only its author may change a message, and a message by an API key has no author. */
const write = member('member', 'message')
const reacts = { access: write, affects: ['message_reactions'] }

export const messageRoutes: FastifyPluginAsyncTypebox = async app => {
  route(app, {
    method: 'POST',
    url: '/rooms/:id/messages',
    config: {
      access: member('member', 'room', 'rooms:write'),
      affects: ['rooms'],
      records: ['message.created'],
    },
    schema: {
      operationId: 'createMessage',
      summary: 'Write a message into a room',
      description: 'The same as `post` on the socket of `GET /realtime`. A user has joined the room before.',
      body: CreateMessage,
      response: { 201: Message, ...problems(roomErrors.not_in_room, roomErrors.client_id_reused) },
    },
    handler: ({ caller, params, body }) => createMessage(caller, params.id, body),
  })

  route(app, {
    method: 'GET',
    url: '/rooms/:id/messages',
    config: { access: member('viewer', 'room', 'rooms:read') },
    schema: {
      operationId: 'listMessages',
      summary: 'The messages of a room, newest first',
      querystring: MessagesQuery,
      response: { 200: MessageList },
    },
    handler: async ({ params, query }) =>
      orNotFound(await listMessages(app.database, { roomId: params.id }, {}, query)),
  })

  route(app, {
    method: 'GET',
    url: '/messages/:id',
    config: { access: member('viewer', 'message', 'rooms:read') },
    schema: { operationId: 'getMessage', summary: 'A message of a room', response: { 200: Message } },
    handler: async ({ params }) => orNotFound(await findMessage(app.database, params)),
  })

  route(app, {
    method: 'PATCH',
    url: '/messages/:id',
    config: { access: write },
    schema: {
      operationId: 'updateMessage',
      summary: 'Edit a message of one’s own',
      body: UpdateMessage,
      response: { 200: Message, ...problems(roomErrors.not_the_writer) },
    },
    handler: ({ caller, params, body, ifMatch }) => updateMessage(caller, params.id, body.body, ifMatch),
  })

  route(app, {
    method: 'DELETE',
    url: '/messages/:id',
    config: { access: orPlatform('moderator', write) },
    schema: {
      operationId: 'deleteMessage',
      summary: 'Delete a message, as its author, as an admin, or as a moderator of the platform',
      response: { 204: Nothing, ...problems(roomErrors.not_the_writer) },
    },
    handler: async ({ caller, actor, membership, params, ifMatch }) =>
      void (await deleteMessage(caller, params.id, mayModerate(asUser(actor), membership), ifMatch)),
  })

  route(app, {
    method: 'POST',
    url: '/messages/:id/react',
    config: { ...reacts, records: ['message.reacted'] },
    schema: {
      operationId: 'addReaction',
      summary: 'React to a message',
      body: Reaction,
      response: { 200: Message, ...problems(412, roomErrors.not_in_room, roomErrors.too_many_reactions) },
    },
    handler: ({ caller, actor, params, body, ifMatch }) =>
      addReaction(caller, { id: params.id, userId: asUser(actor).id, emoji: body.reaction }, ifMatch),
  })

  route(app, {
    method: 'POST',
    url: '/messages/:id/unreact',
    config: { ...reacts, records: ['message.reacted'] },
    schema: {
      operationId: 'removeReaction',
      summary: 'Take back a reaction',
      body: Reaction,
      response: { 200: Message, ...problems(412, roomErrors.not_in_room) },
    },
    handler: ({ caller, actor, params, body, ifMatch }) =>
      removeReaction(caller, { id: params.id, userId: asUser(actor).id, emoji: body.reaction }, ifMatch),
  })
}
