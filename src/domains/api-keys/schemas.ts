import { type Static, Type } from '@sinclair/typebox'
import { type Scope, scopeNames } from '../../lib/access.ts'
import { demoKey } from '../../lib/demo.ts'
import { Closed, Id, List, ListQuery, Nullable, Patch, Timestamp, VisibleText } from '../../lib/schema.ts'

const Name = VisibleText(100, { description: 'What the key is for.', examples: ['Nightly import'] })
const Scopes = Type.Array(Type.Unsafe<Scope>({ type: 'string', enum: scopeNames }), {
  minItems: 1,
  uniqueItems: true,
  description: 'What the key may do; each operation says which it needs.',
  examples: [['tasks:read', 'tasks:write']],
})
const ExpiresAt = Nullable(Timestamp, {
  description: 'From then on the key is refused; null for never.',
  examples: [null],
})
const RateLimit = Nullable(
  Type.Integer({
    minimum: 1,
    maximum: 1_000_000,
    description: 'Requests per minute; null for the limit of every caller, above which no key gets.',
  }),
  { examples: [null] },
)
/** One day, long enough for a service that is deployed once a day. */
export const OVERLAP_SECONDS = 86_400
const MAX_OVERLAP_SECONDS = 604_800

const key = {
  id: Id,
  organizationId: Id,
  name: Name,
  hint: Type.String({ description: 'The last four characters of the secret.', examples: ['7bQz'] }),
  scopes: Scopes,
  expiresAt: ExpiresAt,
  previousExpiresAt: Nullable(Timestamp, {
    description: 'Until then the secret before the last rotation is valid too; null where there is none.',
    examples: [null],
  }),
  rateLimit: RateLimit,
  lastUsedAt: Nullable(Timestamp, {
    description: 'When it was last used, to the minute; null for never. It does not change the `ETag`.',
    examples: [null],
  }),
  createdBy: Nullable(Id, {
    description: 'The user who created it, whose account may be erased since; null where nobody is known.',
  }),
  createdAt: Timestamp,
  updatedAt: Timestamp,
}
export const ApiKey = Type.Object(key, {
  title: 'ApiKey',
  description: 'Lets a program act for an organization, as far as its scopes go.',
})
export type ApiKey = Static<typeof ApiKey>
export const NewApiKey = Type.Object(
  {
    ...key,
    key: Type.String({
      description: 'The secret. It is shown this once and stored nowhere.',
      examples: [demoKey],
    }),
  },
  { title: 'NewApiKey', description: 'An API key with its secret.' },
)

export const CreateApiKey = Closed(
  { name: Name, scopes: Scopes, expiresAt: Type.Optional(ExpiresAt), rateLimit: Type.Optional(RateLimit) },
  { title: 'CreateApiKey', examples: [{ name: 'Nightly import', scopes: ['tasks:read', 'tasks:write'] }] },
)
export type CreateApiKey = Static<typeof CreateApiKey>
export const UpdateApiKey = Patch(Closed({ name: Name, scopes: Scopes, expiresAt: ExpiresAt, rateLimit: RateLimit }), {
  title: 'UpdateApiKey',
  examples: [{ name: 'Hourly import', rateLimit: 120 }],
})
export type UpdateApiKey = Static<typeof UpdateApiKey>
/** The body is optional. */
export const RotateApiKey = Nullable(
  Closed({
    overlapSeconds: Type.Optional(
      Type.Integer({
        minimum: 0,
        maximum: MAX_OVERLAP_SECONDS,
        default: OVERLAP_SECONDS,
        description: 'Seconds that the present secret stays valid; 0 ends it at once.',
      }),
    ),
  }),
  { title: 'RotateApiKey', examples: [{ overlapSeconds: 3_600 }] },
)

export const ApiKeyList = List(ApiKey)
export const ApiKeysQuery = ListQuery({}, ['createdAt'])
