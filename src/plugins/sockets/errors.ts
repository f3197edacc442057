import { defineErrors } from '../../lib/errors.ts'

export const socketErrors = defineErrors({
  ticket_invalid: {
    status: 401,
    title: 'The ticket is not valid',
    help: 'A ticket opens one socket within 30 seconds. This one was already used, has expired or does not exist. Request a new ticket with `POST /realtime/ticket` before each attempt to connect.',
  },
  origin_refused: {
    status: 403,
    title: 'This origin may not open sockets',
    help: 'The browser sent an `Origin` that this server does not allow. The operator of the server can add it to `CORS_ORIGINS`.',
  },
  upgrade_required: {
    status: 426,
    title: 'A WebSocket upgrade is required',
    help: 'The request did not ask for an upgrade to the WebSocket protocol. Connect with a WebSocket client, which sends `Upgrade: websocket` (RFC 6455).',
  },
  too_many_sockets: {
    status: 429,
    title: 'Too many open sockets',
    retryAfter: 5,
    help: 'This user or API key has reached its limit of open sockets. Close sockets that are not used, or subscribe to several topics on one socket.',
  },
  already_subscribed: {
    status: 409,
    title: 'The socket has already subscribed to this topic',
    help: 'A socket has each topic once, and this one is followed already. Go on reading; to begin at another cursor, unsubscribe first.',
  },
  too_many_topics: {
    status: 429,
    title: 'The socket has as many topics as it may have',
    help: 'A socket has at most 50 topics. Unsubscribe from those that nobody reads, or follow the organization as a whole.',
  },
  not_subscribed: {
    status: 409,
    title: 'The socket has not subscribed to this room',
    help: 'Messages and typing are sent into a room whose topic the socket follows. Subscribe to `room:<id>` first.',
  },
})
