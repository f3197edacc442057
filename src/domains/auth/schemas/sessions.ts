import { type Static, Type } from '@sinclair/typebox'
import { ACCESS_TOKEN_SECONDS } from '../../../lib/access.ts'
import {
  Closed,
  Email,
  GivenPassword,
  Id,
  List,
  ListQuery,
  Nullable,
  StringEnum,
  Timestamp,
  Token,
} from '../../../lib/schema.ts'
import { User } from '../../users/schemas.ts'

export const Login = Closed(
  { email: Email, password: GivenPassword },
  { title: 'Login', examples: [{ email: 'demo@lintel.localhost', password: 'demo-password' }] },
)
export type Login = Static<typeof Login>

const REFRESH_TOKEN = 'AZkAAAAAcACAAAAAAAAAKA.1.c2lnbmF0dXJl'

const tokens = {
  accessToken: Type.String({
    description: 'A JWT for `Authorization: Bearer`.',
    examples: ['eyJhbGciOiJFZERTQSJ9.eyJzdWIiOiIwMTk5MDAwMCJ9.c2lnbmF0dXJl'],
  }),
  tokenType: StringEnum(['Bearer'], { description: 'How to send the access token (RFC 6750).' }),
  expiresIn: Type.Integer({ description: 'Seconds until the access token expires.', examples: [ACCESS_TOKEN_SECONDS] }),
  refreshToken: Type.String({
    description: 'Single use: every refresh answers with the next one.',
    examples: [REFRESH_TOKEN],
  }),
}
export const Tokens = Type.Object(tokens, { title: 'Tokens', description: 'The credentials of a session.' })
export type Tokens = Static<typeof Tokens>
export const SignedIn = Type.Object(
  { ...tokens, user: User },
  { title: 'SignedIn', description: 'The credentials of a new session, and whose it is.' },
)
export type SignedIn = Static<typeof SignedIn>

export const Refresh = Closed(
  { refreshToken: { ...Token, description: 'The newest refresh token of the session.', examples: [REFRESH_TOKEN] } },
  { title: 'Refresh' },
)

const LOGOUT_SCOPES = ['session', 'others', 'all'] as const
export type LogoutScope = (typeof LOGOUT_SCOPES)[number]
/** The body is optional. */
export const Logout = Nullable(
  Closed({
    scope: Type.Optional(
      StringEnum(LOGOUT_SCOPES, {
        default: 'session',
        description: 'Which sessions end: that of the request, all but that, or all.',
      }),
    ),
  }),
  {
    title: 'Logout',
    examples: [{ scope: 'session' }],
  },
)

export const Session = Type.Object(
  {
    id: Id,
    address: Nullable(Type.String(), {
      description: 'The network address it was last refreshed from; null where it is not known.',
      examples: ['203.0.113.7'],
    }),
    userAgent: Nullable(Type.String(), {
      description: 'The `User-Agent` it was last refreshed with; null where there was none.',
      examples: ['Mozilla/5.0'],
    }),
    createdAt: Timestamp,
    lastUsedAt: Type.String({ ...Timestamp, description: 'The last sign-in or refresh: up to 15 minutes behind.' }),
    expiresAt: { ...Timestamp, description: 'When it ends at the latest: 90 days after its start.' },
    current: Type.Boolean({ description: 'Whether this request belongs to it.' }),
  },
  { title: 'Session', description: 'A device, or browser, that somebody is signed in on.' },
)
export type Session = Static<typeof Session>
export const SessionList = List(Session)
export const SessionsQuery = ListQuery({}, ['createdAt'])
