import { type Static, Type } from '@sinclair/typebox'
import { Id, List, ListQuery, Nullable, Text, Timestamp } from '../../lib/schema.ts'

export const File = Type.Object(
  {
    id: Id,
    organizationId: Id,
    name: Text(1, 255, {
      description: 'As it was uploaded. It may hold any character: escape it where you show it.',
      examples: ['report.txt'],
    }),
    type: Type.String({ description: 'The media type, told from the bytes.', examples: ['text/plain'] }),
    sizeBytes: Type.Integer({ description: 'How many bytes it has.', examples: [6] }),
    sha256: Type.String({
      description: 'The SHA-256 of the bytes, in hex.',
      examples: ['5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03'],
    }),
    createdBy: Nullable(Id, { description: 'The user who uploaded it; null where an API key did.' }),
    createdAt: Timestamp,
    updatedAt: Timestamp,
  },
  { title: 'File', description: 'A file of an organization.' },
)
export type File = Static<typeof File>

export const UploadFile = Type.Object(
  { file: Type.String({ contentMediaType: 'application/octet-stream', description: 'The file, with its name.' }) },
  { title: 'UploadFile', examples: [{ file: 'hello\n' }] },
)
export const FileList = List(File)
export const FilesQuery = ListQuery({}, ['createdAt'])

export const SignedUrl = Type.Object(
  {
    url: Type.String({
      format: 'uri',
      description: 'Where whoever has it downloads the file, without credentials. With an S3 store it leads there.',
      examples: ['https://api.example.com/storage/01990000-0000-7000-8000-000000000070?grant=eyJtZXRob2QiOiJHRVQi'],
    }),
    expiresAt: { ...Timestamp, description: 'When the URL stops to work: ten minutes after it was made.' },
  },
  { title: 'SignedUrl', description: 'A URL that is good for one file and one method, for a short time.' },
)
