import { type Static, Type } from '@sinclair/typebox'
import { type Scope, scopeNames } from '../../lib/access.ts'
import { Closed, Id, List, ListQuery, Nullable, Patch, Text, Timestamp } from '../../lib/schema.ts'

const Name = Text(1, 100, { examples: ['Nightly import'] })
const Scopes = Type.Array(Type.Unsafe<Scope>({ type: 'string', enum: scopeNames }), { minItems: 1, uniqueItems: true })
const RateLimit = Nullable(
  Type.Integer({
    minimum: 1,
    maximum: 1_000_000,
    description: 'Requests per minute; null for the limit of every caller, above which no key gets.',
  }),
)
/** A day: enough for whoever deploys once a day. */
export const OVERLAP_SECONDS = 86_400
const MAX_OVERLAP_SECONDS = 604_800

const key = {
  id: Id,
  organizationId: Id,
  name: Name,
  hint: Type.String({ description: 'The last four characters of the key.' }),
  scopes: Scopes,
  expiresAt: Nullable(Timestamp),
  previousExpiresAt: Nullable(Timestamp, {
    description: 'Until then the secret before the last rotation is valid too.',
  }),
  rateLimit: RateLimit,
  lastUsedAt: Nullable(Timestamp, { description: 'To the minute; it does not change the `ETag`.' }),
  createdBy: Nullable(Id),
  createdAt: Timestamp,
  updatedAt: Timestamp,
}
export const ApiKey = Type.Object(key, { title: 'ApiKey' })
export type ApiKey = Static<typeof ApiKey>
export const NewApiKey = Type.Object(
  { ...key, key: Type.String({ description: 'The secret. It is shown this once and stored nowhere.' }) },
  { title: 'NewApiKey' },
)

export const CreateApiKey = Closed(
  { name: Name, scopes: Scopes, expiresAt: Type.Optional(Nullable(Timestamp)), rateLimit: Type.Optional(RateLimit) },
  { title: 'CreateApiKey', examples: [{ name: 'Nightly import', scopes: ['tasks:read', 'tasks:write'] }] },
)
export type CreateApiKey = Static<typeof CreateApiKey>
export const UpdateApiKey = Patch(
  Closed({ name: Name, scopes: Scopes, expiresAt: Nullable(Timestamp), rateLimit: RateLimit }),
  { title: 'UpdateApiKey', examples: [{ name: 'Hourly import', rateLimit: 120 }] },
)
export type UpdateApiKey = Static<typeof UpdateApiKey>
/** The body may be left out. */
export const RotateApiKey = Nullable(
  Closed({
    overlapSeconds: Type.Optional(
      Type.Integer({
        minimum: 0,
        maximum: MAX_OVERLAP_SECONDS,
        default: OVERLAP_SECONDS,
        description: 'How long the present secret stays valid; 0 ends it at once.',
      }),
    ),
  }),
  { title: 'RotateApiKey', examples: [{ overlapSeconds: 3_600 }] },
)

export const ApiKeyList = List(ApiKey)
export const ApiKeysQuery = ListQuery({}, ['createdAt'])
