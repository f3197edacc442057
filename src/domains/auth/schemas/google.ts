import { type Static, Type } from '@sinclair/typebox'
import { Closed, GivenPassword, Nullable, Token } from '../../../lib/schema.ts'

export const GoogleQuery = Closed({
  challenge: Type.Optional(
    Type.String({
      pattern: '^[A-Za-z0-9_-]{43}$',
      description:
        'The base64url SHA-256 of a secret of the front end (RFC 7636, S256): the code is then worth nothing without the secret, and a code from elsewhere is not taken with it.',
    }),
  ),
})

/** The body is optional. */
export const LinkGoogle = Nullable(Closed({ password: Type.Optional(GivenPassword) }), {
  title: 'LinkGoogle',
  description: 'The password is needed once the sign-in is ten minutes old.',
  examples: [{ password: 'demo-password' }],
})
export type LinkGoogle = Static<typeof LinkGoogle>
export const GoogleLink = Type.Object(
  {
    url: Type.String({
      description: 'Where the browser, which has got a cookie with this answer, goes next.',
      examples: ['https://accounts.google.com/o/oauth2/v2/auth?client_id=…'],
    }),
  },
  { title: 'GoogleLink', description: 'The beginning of linking a Google account.' },
)

export const Exchange = Closed(
  {
    code: { ...Token, description: 'The `code` of the redirect; good once, for 60 seconds.' },
    verifier: Type.Optional(
      Type.String({
        pattern: '^[A-Za-z0-9_.~-]{43,128}$',
        description: 'The secret whose `challenge` the sign-in began with.',
      }),
    ),
  },
  { title: 'Exchange' },
)
export type Exchange = Static<typeof Exchange>

/** The query parameters that the callback passes to the front end. */
export const SignedInQuery = Type.Partial(Type.Object({ code: Token, linked: Token, error: Token }))
export type SignedInQuery = Static<typeof SignedInQuery>
