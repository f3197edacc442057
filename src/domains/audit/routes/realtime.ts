import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { anyCaller, everyone } from '../../../lib/access.ts'
import { problems } from '../../../lib/errors.ts'
import { upgrade } from '../../../lib/schema.ts'
import { route } from '../../../plugins/routes.ts'
import { RealtimeQuery, Ticket } from '../schemas.ts'
import { issueTicket, takeTicket } from '../service/tickets.ts'

const SOCKET = `A WebSocket (RFC 6455) that sends the events of the topics that the client subscribes to. A client that reconnects
can resume after the last cursor it received. A topic is \`organization:<id>\`, \`project:<id>\`,
\`task:<id>\` or \`room:<id>\`. Messages are JSON texts with a \`type\`.

- The client sends \`subscribe {topic, after?}\`, \`unsubscribe {topic}\` and \`ping\`; in a room also
  \`post {topic, clientId, body, replyToId?}\`, which is \`POST /rooms/{id}/messages\`, and \`typing {topic}\`.
- The server sends \`welcome\`, \`subscribed {topic, cursor}\`, \`event {topic, cursor, event}\`, \`resync {topic, reason}\`,
  \`error {topic, code, detail}\`, \`unsubscribed\` and \`pong\`; of a room also \`posted {topic, clientId, id, sequence}\`,
  \`presence {topic, present, absent}\` and \`user_typing {topic, userId}\`. [The document of the messages](/asyncapi.json) describes each.

A browser may connect only from an origin in \`CORS_ORIGINS\`.

The server closes the socket with one of these codes:

`

export const realtimeRoutes: FastifyPluginAsyncTypebox = async app => {
  await app.sockets.attach(app)

  route(app, {
    method: 'POST',
    url: '/realtime/ticket',
    config: { access: anyCaller('events:read'), cache: 'no-store', affects: ['tokens'] },
    schema: {
      operationId: 'createRealtimeTicket',
      summary: 'Create a ticket that opens one socket within 30 seconds',
      description:
        'Create a new ticket before each attempt to connect. The socket has the access of the caller, and is closed when that access ends.',
      response: { 200: Ticket },
    },
    handler: request => request.caller.transaction(tx => issueTicket(app, tx, request)),
  })

  route(app, {
    method: 'GET',
    url: '/realtime',
    exposeHeadRoute: false,
    config: { access: everyone },
    schema: {
      operationId: 'openRealtime',
      summary: 'Receive events as they happen, by WebSocket',
      description: SOCKET + app.sockets.closeCodes,
      querystring: RealtimeQuery,
      response: {
        ...upgrade('The socket is open.'),
        ...problems(...app.sockets.problems),
      },
    },
    preHandler: (request: FastifyRequest, reply: FastifyReply) =>
      app.sockets.admit(request, reply, (request.query as RealtimeQuery).ticket, ticket => takeTicket(app, ticket)),
    handler: () => undefined,
    wsHandler: (socket, request) => app.sockets.open(socket, request),
  })
}
