import { type Static, Type } from '@sinclair/typebox'
import { Closed, Id, List, ListQuery, Nullable, StringEnum, Timestamp, VisibleText } from '../../lib/schema.ts'

/** What one request to an S3 store may bring. */
const MAX_BYTES = 5_368_709_120

const announced = {
  name: VisibleText(255, {
    description: 'The name of the file. It is data and never a path.',
    examples: ['backup.tar'],
  }),
  sizeBytes: Type.Integer({ minimum: 0, maximum: MAX_BYTES, description: 'How many bytes it has.', examples: [6] }),
  sha256: Type.String({
    pattern: '^[0-9a-f]{64}$',
    description: 'The SHA-256 of the bytes, in hex.',
    examples: ['5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03'],
  }),
}

const fields = {
  id: Id,
  organizationId: Id,
  ...announced,
  status: StringEnum(['pending', 'completed'], {
    description: '`completed` when the file is made; it has the same id.',
  }),
  createdBy: Nullable(Id, { description: 'The user who created it; null where an API key did.' }),
  expiresAt: { ...Timestamp, description: 'When it ends if it is not completed: an hour after it was created.' },
  createdAt: Timestamp,
  updatedAt: Timestamp,
}

export const Upload = Type.Object(fields, {
  title: 'Upload',
  description: 'A file whose bytes a client sends to the storage itself.',
})
export type Upload = Static<typeof Upload>

export const NewUpload = Type.Object(
  {
    ...fields,
    url: Type.String({
      format: 'uri',
      description: 'Where to `PUT` the bytes, without credentials.',
      examples: ['https://api.example.com/storage/01990000-0000-7000-8000-000000000074?grant=eyJtZXRob2QiOiJQVVQi'],
    }),
    headers: Type.Record(Type.String(), Type.String(), {
      description: 'The headers that the `PUT` must have besides its `Content-Length`.',
      examples: [{}],
    }),
  },
  { title: 'NewUpload', description: 'An upload with the URL for its bytes, which no other answer has.' },
)
export type NewUpload = Static<typeof NewUpload>

export const CreateUpload = Closed(announced, {
  title: 'CreateUpload',
  examples: [
    {
      name: 'backup.tar',
      sizeBytes: 6,
      sha256: '5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03',
    },
  ],
})
export type CreateUpload = Static<typeof CreateUpload>
export const UploadList = List(Upload)
export const UploadsQuery = ListQuery({}, ['createdAt'])
