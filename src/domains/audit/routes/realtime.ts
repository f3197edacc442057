import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { anyCaller, everyone } from '../../../lib/access.ts'
import { problems } from '../../../lib/errors.ts'
import { upgrade } from '../../../lib/schema.ts'
import { route } from '../../../plugins/routes.ts'
import { RealtimeQuery, Ticket } from '../schemas.ts'
import { issueTicket, takeTicket } from '../service/tickets.ts'

const SOCKET = `A WebSocket (RFC 6455) that tells what happens in the topics it subscribes to, and resumes from the last cursor
seen. A topic is \`organization:<id>\`, \`project:<id>\` or \`task:<id>\`. Messages are JSON texts with a \`type\`.

- A client sends \`subscribe {topic, after?}\`, \`unsubscribe {topic}\` and \`ping\`.
- The server sends \`welcome\`, \`subscribed {topic, cursor}\`, \`event {topic, cursor, event}\`, \`resync {topic, reason}\`,
  \`error {topic, code, detail}\`, \`unsubscribed\` and \`pong\`.
- It closes with 1012 (come back and resume), 1009 and 4400 (mend the client), 4401 (sign in again), 4403, 4408 and 4413 (come
  back and resume), 4429 (come back after 10 seconds) and 4440 (come back at once with a new ticket, and resume).

A browser must come from an origin of \`CORS_ORIGINS\`.`

export const realtimeRoutes: FastifyPluginAsyncTypebox = async app => {
  await app.sockets.attach(app)

  route(app, {
    method: 'POST',
    url: '/realtime/ticket',
    config: { access: anyCaller('events:read'), cache: 'no-store', affects: ['tokens'] },
    schema: {
      operationId: 'createRealtimeTicket',
      summary: 'A ticket that opens one socket within 30 seconds',
      description:
        'Ask for one before every attempt to connect. The socket has the access of the caller, and ends with it.',
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
      summary: 'What happens, as it does, by WebSocket',
      description: SOCKET,
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
