import { defineErrors } from '../../lib/errors.ts'

export const socketErrors = defineErrors({
  ticket_invalid: {
    status: 401,
    title: 'The ticket is not valid',
    help: 'A ticket opens one socket within 30 seconds, and this one was used, is too old or was never given. Ask `POST /realtime/ticket` for a new one for every attempt to connect.',
  },
  origin_refused: {
    status: 403,
    title: 'Pages of this origin may not connect',
    help: 'The browser sent an `Origin` that is not on the list of this server. Whoever runs the server adds it to `CORS_ORIGINS`.',
  },
  upgrade_required: {
    status: 426,
    title: 'This path is for WebSockets',
    help: 'The request did not ask for the WebSocket protocol. Connect with a WebSocket client, which sends `Upgrade: websocket` (RFC 6455).',
  },
  too_many_sockets: {
    status: 429,
    title: 'Too many open sockets',
    retryAfter: 5,
    help: 'This user or API key has as many sockets open as one may have. Close those that nobody reads, or subscribe to several topics on one of them; then open the next.',
  },
})
