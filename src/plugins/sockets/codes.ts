/** Why the server closes a socket (RFC 6455 §7.4), and what the client should do. Part of the description of `GET /realtime`. */
export const CLOSE = {
  restart: {
    code: 1012,
    reason: 'the process stops',
    client: 'Reconnect after a random delay of 1 to 2 seconds, and resume.',
  },
  too_big: {
    code: 1009,
    reason: 'the message is too big',
    client: 'Correct the client; do not reconnect automatically.',
  },
  bad_message: {
    code: 4400,
    reason: 'the message is not valid',
    client: 'Correct the client; do not reconnect automatically.',
  },
  signed_out: {
    code: 4401,
    reason: 'the session or key has ended',
    client: 'Sign in again, then connect with a new ticket.',
  },
  access_ended: {
    code: 4403,
    reason: 'access to a topic has ended',
    client: 'Reconnect and resume; give up the topics that are refused then.',
  },
  silent: { code: 4408, reason: 'a ping was not answered', client: 'Reconnect and resume.' },
  slow: {
    code: 4413,
    reason: 'messages are read too slowly',
    client: 'Reconnect and resume; subscribe to fewer topics if it happens again.',
  },
  too_many: {
    code: 4429,
    reason: 'too many messages',
    client: 'Reconnect after 10 seconds, and send fewer messages.',
  },
  renew: {
    code: 4440,
    reason: 'the socket has reached its maximum age',
    client: 'Reconnect at once with a new ticket, and resume.',
  },
} as const

export type Close = keyof typeof CLOSE

/** The close codes as a Markdown list, for descriptions. */
export const closeCodes = Object.values(CLOSE)
  .map(({ code, reason, client }) => `- ${code}, ${reason}. ${client}`)
  .join('\n')
