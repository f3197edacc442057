import { type Static, Type } from '@sinclair/typebox'
import { SCOPES } from '../../lib/access.ts'
import { Closed, Id, List, ListQuery, Nullable, Patch, StringEnum, Text, Timestamp } from '../../lib/schema.ts'

const Name = Text(1, 100, { examples: ['Nightly import'] })
const Scopes = Type.Array(StringEnum(SCOPES), { minItems: 1, uniqueItems: true })

const key = {
  id: Id,
  organizationId: Id,
  name: Name,
  hint: Type.String({ description: 'The last four characters of the key.' }),
  scopes: Scopes,
  expiresAt: Nullable(Timestamp),
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
  { name: Name, scopes: Scopes, expiresAt: Type.Optional(Nullable(Timestamp)) },
  { title: 'CreateApiKey', examples: [{ name: 'Nightly import', scopes: ['tasks:read', 'tasks:write'] }] },
)
export type CreateApiKey = Static<typeof CreateApiKey>
export const UpdateApiKey = Patch(Closed({ name: Name, scopes: Scopes, expiresAt: Nullable(Timestamp) }), {
  title: 'UpdateApiKey',
  examples: [{ name: 'Hourly import' }],
})
export type UpdateApiKey = Static<typeof UpdateApiKey>

export const ApiKeyParams = Closed({ id: Id, keyId: Id })
export const ApiKeyList = List(ApiKey)
export const ApiKeysQuery = ListQuery({}, ['createdAt'])
