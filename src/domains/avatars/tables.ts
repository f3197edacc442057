import { bigint, index, integer, pgTable, text, unique, uuid } from 'drizzle-orm/pg-core'
import { timestamps, version } from '../../database/columns.ts'
import { users } from '../users/tables.ts'

export const avatars = pgTable(
  'avatars',
  {
    userId: uuid()
      .primaryKey()
      .references(() => users.id, { onDelete: 'cascade' }),
    /** The key of the bytes in the storage; null once the images are made. */
    originalKey: uuid(),
    status: text().$type<'processing' | 'ready' | 'failed'>().notNull(),
    version: version(),
    ...timestamps(),
  },
  table => [index('avatars_original_idx').on(table.originalKey)],
)

export const avatarImages = pgTable(
  'avatar_images',
  {
    /** The key of the bytes in the storage. */
    key: uuid().primaryKey(),
    userId: uuid()
      .notNull()
      .references(() => avatars.userId, { onDelete: 'cascade' }),
    size: text().$type<'small' | 'medium' | 'large'>().notNull(),
    pixels: integer().notNull(),
    sizeBytes: bigint({ mode: 'number' }).notNull(),
    /** In hex. */
    sha256: text().notNull(),
  },
  table => [unique('avatar_images_size_key').on(table.userId, table.size)],
)
