import { bigint, index, pgTable, text, uuid } from 'drizzle-orm/pg-core'
import { id, isoTimestamp, timestamps, version } from '../../database/columns.ts'

export const uploads = pgTable(
  'uploads',
  {
    /** Also the key of the bytes in the storage, and the id of the file that is made of them. */
    id: id(),
    organizationId: uuid().notNull(),
    name: text().notNull(),
    sizeBytes: bigint({ mode: 'number' }).notNull(),
    /** In hex. */
    sha256: text().notNull(),
    status: text().$type<'pending' | 'completed'>().notNull().default('pending'),
    createdBy: uuid(),
    expiresAt: isoTimestamp().notNull(),
    version: version(),
    ...timestamps(),
  },
  table => [
    index('uploads_organization_idx').on(table.organizationId, table.id),
    index('uploads_expires_idx').on(table.expiresAt),
  ],
)
