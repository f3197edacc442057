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
