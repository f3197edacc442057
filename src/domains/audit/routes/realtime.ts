import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { anyCaller, everyone } from '../../../lib/access.ts'
import { problems } from '../../../lib/errors.ts'
import { upgrade } from '../../../lib/schema.ts'
import { route } from '../../../plugins/routes.ts'
import { RealtimeQuery, Ticket } from '../schemas.ts'
import { issueTicket, takeTicket } from '../service/tickets.ts'

const SOCKET = `A WebSocket (RFC 6455) that tells what happens in the topics it subscribes to, and resumes from the last cursor seen.
Its messages and close codes are in [the AsyncAPI document](/asyncapi.json). A browser must come from an origin of \`CORS_ORIGINS\`.`

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
