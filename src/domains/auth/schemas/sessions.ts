import { type Static, Type } from '@sinclair/typebox'
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

const tokens = {
  accessToken: Type.String(),
  tokenType: StringEnum(['Bearer']),
  expiresIn: Type.Integer({ description: 'Seconds until the access token expires.' }),
  refreshToken: Type.String({ description: 'Single use: every refresh answers with the next one.' }),
}
export const Tokens = Type.Object(tokens, { title: 'Tokens' })
export type Tokens = Static<typeof Tokens>
export const SignedIn = Type.Object({ ...tokens, user: User }, { title: 'SignedIn' })
export type SignedIn = Static<typeof SignedIn>

export const Refresh = Closed({ refreshToken: Token }, { title: 'Refresh' })

const LOGOUT_SCOPES = ['session', 'others', 'all'] as const
export type LogoutScope = (typeof LOGOUT_SCOPES)[number]
/** The body may be left out. */
export const Logout = Nullable(Closed({ scope: Type.Optional(StringEnum(LOGOUT_SCOPES, { default: 'session' })) }), {
  title: 'Logout',
  examples: [{ scope: 'session' }],
})

export const Session = Type.Object(
  {
    id: Id,
    address: Nullable(Type.String({ description: 'Where it was last refreshed from.' })),
    userAgent: Nullable(Type.String()),
    createdAt: Timestamp,
    lastUsedAt: Type.String({ ...Timestamp, description: 'The last sign-in or refresh: up to 15 minutes behind.' }),
    expiresAt: Timestamp,
    current: Type.Boolean({ description: 'Whether this request belongs to it.' }),
  },
  { title: 'Session' },
)
export type Session = Static<typeof Session>
export const SessionList = List(Session)
export const SessionsQuery = ListQuery({}, ['createdAt'])
