import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { type Actor, anyCaller, member, platform } from '../../../lib/access.ts'
import { orNotFound, problems } from '../../../lib/errors.ts'
import { eventStream } from '../../../lib/schema.ts'
import { route } from '../../../plugins/routes.ts'
import { auditErrors, organizationMissing } from '../errors.ts'
import { listAllEvents, listAuditEvents, listEvents, readFeed } from '../queries/events.ts'
import {
  AllEventsQuery,
  AuditEventList,
  EventFeedQuery,
  EventList,
  EventStreamHeaders,
  EventStreamQuery,
  EventsQuery,
} from '../schemas.ts'
import type { LiveFeed } from '../service/feed.ts'
import { requireRetained } from '../service/retention.ts'
import { openStream } from '../service/stream.ts'

const STREAM = `Server-sent events: \`event\` is the type, \`data\` an \`Event\`, and \`id\` the cursor to resume from, which is the one of
\`GET /events\`. In the order of the feed, after commit. The stream ends with the access that it was opened with, an access token after
its 15 minutes included: connect again with \`Last-Event-ID\`, and nothing is missed or repeated. Where events that follow the cursor may be deleted, \`event: resync\` comes first: read the current state again.`

export const eventRoutes: FastifyPluginAsyncTypebox<{ feed: LiveFeed }> = async (app, { feed }) => {
  route(app, {
    method: 'GET',
    url: '/organizations/:id/events',
    config: { access: member('admin', 'organization', 'events:read') },
    schema: {
      operationId: 'listEvents',
      summary: 'Everything that changed in an organization, newest first',
      querystring: EventsQuery,
      response: { 200: AuditEventList },
    },
    async handler({ actor, params, query }) {
      const list = actor?.type === 'user' ? listAuditEvents : listEvents
      return orNotFound(await list(app.database, { organizationId: params.id }, {}, query))
    },
  })

  route(app, {
    method: 'GET',
    url: '/organizations/:id/events/stream',
    exposeHeadRoute: false,
    config: { access: member('admin', 'organization', 'events:read') },
    schema: {
      operationId: 'streamEvents',
      summary: 'Everything that changes in an organization, as it does',
      description: STREAM,
      querystring: EventStreamQuery,
      headers: EventStreamHeaders,
      response: { ...eventStream('Server-sent events, each with an `Event` as its data.') },
    },
    handler(request, reply) {
      const cursor = request.headers['last-event-id'] || request.query.cursor
      return openStream(app, feed, { request, reply, cursor })
    },
  })

  route(app, {
    method: 'GET',
    url: '/audit/events',
    config: { access: platform('admin') },
    schema: {
      operationId: 'listAllEvents',
      summary: 'Everything that changed anywhere, sign-ins and accounts included, newest first',
      querystring: AllEventsQuery,
      response: { 200: AuditEventList },
    },
    handler: async ({ query }) => orNotFound(await listAllEvents(app.database, {}, {}, query)),
  })

  route(app, {
    method: 'GET',
    url: '/events',
    config: { access: anyCaller('events:read') },
    schema: {
      operationId: 'readEventFeed',
      summary: 'Everything that changed, oldest first; go on from `meta.nextCursor` for ever',
      querystring: EventFeedQuery,
      response: { 200: EventList, ...problems(404, auditErrors.cursor_expired) },
    },
    async handler({ actor, query: { organizationId: asked, ...query } }) {
      const caller = actor as Actor
      const organizationId = asked ?? (caller.type === 'api_key' ? caller.organizationId : undefined)
      if (organizationId === undefined) throw organizationMissing()
      await app.tenancy.check('organization', organizationId, caller, 'admin')
      if (query.cursor !== undefined) await requireRetained(app.database, query.cursor, organizationId, query.type)
      return orNotFound(await readFeed(app.database, { organizationId }, {}, query))
    },
  })
}
