import { bigint, index, pgTable, text, uuid } from 'drizzle-orm/pg-core'
import { id, timestamps, version } from '../../database/columns.ts'

export const files = pgTable(
  'files',
  {
    /** Also the key of the bytes in the storage. */
    id: id(),
    organizationId: uuid().notNull(),
    /** As the client gave it: data, never a path. */
    name: text().notNull(),
    type: text().notNull(),
    sizeBytes: bigint({ mode: 'number' }).notNull(),
    /** In hex. */
    sha256: text().notNull(),
    createdBy: uuid(),
    version: version(),
    ...timestamps(),
  },
  table => [index('files_organization_idx').on(table.organizationId, table.id)],
)

/** The bytes of all files of an organization; its row lock makes uploads at the same time wait for each other. */
export const fileUsage = pgTable('file_usage', {
  organizationId: uuid().primaryKey(),
  bytes: bigint({ mode: 'number' }).notNull(),
})
