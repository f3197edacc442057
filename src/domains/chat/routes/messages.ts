import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { member } from '../../../lib/access.ts'
import { orNotFound, problems, requestErrors } from '../../../lib/errors.ts'
import { eventStream, eventStreamOrNothing, Nothing } from '../../../lib/schema.ts'
import { route } from '../../../plugins/routes.ts'
import { chatErrors } from '../errors.ts'
import { listChatMessages } from '../queries/messages.ts'
import { AskChat, ChatMessageList, ChatMessagesQuery, ChatStreamHeaders } from '../schemas.ts'
import { ask, stopChat } from '../service/asking.ts'
import type { AnswerFeed } from '../service/feed.ts'
import { openAnswer, placeAfter } from '../service/stream.ts'

const STREAM = `Server-sent events: \`begun\` with the \`question\` and the \`answer\`, \`delta\` with the next \`text\`, and at the end either \`done\`
with the whole answer or \`problem\` with what ended it: a \`Problem\`, with \`retryAfterSeconds\` where waiting helps. What was received is stored: a client that
lost the connection goes on at \`GET /chats/{id}/stream\` with \`Last-Event-ID\`, on any node. The answer does not end with its reader.`

interface Asked {
  answer: { id: string }
}

export const messageRoutes: FastifyPluginAsyncTypebox<{ feed: AnswerFeed }> = async (app, { feed }) => {
  const readingOf = (request: FastifyRequest, reply: FastifyReply) => {
    const { id: chatId } = request.params as { id: string }
    return { app, feed, request, reply, chatId }
  }

  route(app, {
    method: 'POST',
    url: '/chats/:id/messages',
    config: {
      access: member('member', 'chat', 'chat:write'),
      changes: null,
      affects: ['chat_messages', 'chat_chunks', 'chat_usage'],
      records: ['chat_message.created', 'chat_message.completed'],
      bySystem: ['chat_message.completed'],
      respond: (request, reply, asked: Asked) =>
        openAnswer(readingOf(request, reply), { id: asked.answer.id, offset: 0 }, JSON.stringify(asked)),
    },
    schema: {
      operationId: 'askChat',
      summary: 'Ask, and read the answer as it is written',
      description: STREAM,
      body: AskChat,
      response: {
        ...eventStream('Server-sent events.'),
        ...problems(chatErrors.chat_busy, chatErrors.chat_budget_exhausted),
      },
    },
    handler(request) {
      app.streams.requireRoom(request)
      const { caller, organizationId, params, body } = request
      return ask(app, caller, { organizationId, chatId: params.id, content: body.content })
    },
  })

  route(app, {
    method: 'GET',
    url: '/chats/:id/messages',
    config: { access: member('viewer', 'chat', 'chat:read') },
    schema: {
      operationId: 'listChatMessages',
      summary: 'The questions and answers of a chat',
      querystring: ChatMessagesQuery,
      response: { 200: ChatMessageList },
    },
    handler: async ({ params, query }) =>
      orNotFound(await listChatMessages(app.database, { chatId: params.id }, {}, query)),
  })

  route(app, {
    method: 'GET',
    url: '/chats/:id/stream',
    exposeHeadRoute: false,
    config: { access: member('viewer', 'chat', 'chat:read') },
    schema: {
      operationId: 'streamChat',
      summary: 'Read the running answer, or go on where a connection broke',
      description: `${STREAM}\n\n204 when no answer is running and nothing follows the last event.`,
      headers: ChatStreamHeaders,
      response: {
        ...eventStreamOrNothing('Server-sent events.'),
        ...problems(requestErrors.cursor_invalid, requestErrors.cursor_mismatch),
      },
    },
    async handler(request, reply) {
      const place = await placeAfter(app, request.params.id, request.headers['last-event-id'])
      if (place) return openAnswer(readingOf(request, reply), place)
      return reply.code(204).send()
    },
  })

  route(app, {
    method: 'POST',
    url: '/chats/:id/stop',
    config: {
      access: member('member', 'chat', 'chat:write'),
      affects: ['chat_messages', 'chat_chunks', 'chat_usage'],
      records: ['chat_message.stopped'],
    },
    schema: {
      operationId: 'stopChat',
      summary: 'Stop the running answer, on whichever node it is written; its text is kept',
      response: { 204: Nothing, ...problems(requestErrors.precondition_failed) },
    },
    handler: async ({ caller, params, ifMatch }) => void (await stopChat(app, caller, params.id, ifMatch)),
  })
}
