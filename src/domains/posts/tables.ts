import { sql } from 'drizzle-orm'
import { index, pgTable, text, unique, uuid } from 'drizzle-orm/pg-core'
import { folded, id, isoTimestamp, timestamps, version } from '../../database/columns.ts'

export const posts = pgTable(
  'posts',
  {
    id: id(),
    organizationId: uuid().notNull(),
    title: text().notNull(),
    /** Markdown as it was written. */
    content: text().notNull(),
    slug: text().notNull(),
    status: text().$type<'draft' | 'scheduled' | 'published' | 'archived'>().notNull().default('draft'),
    /** When a scheduled post will be published. */
    publishAt: isoTimestamp(),
    publishedAt: isoTimestamp(),
    /** The author; null for an API key. */
    authorId: uuid(),
    version: version(),
    ...timestamps(),
  },
  // One index for each sort of the lists of an organization and of an author; unpublished posts sort last.
  table => [
    unique('posts_slug_key').on(table.organizationId, table.slug),
    index('posts_organization_idx').on(table.organizationId, table.id),
    index('posts_organization_published_idx').on(
      table.organizationId,
      sql`coalesce(${table.publishedAt}, 'infinity')`,
      table.id,
    ),
    index('posts_author_idx').on(table.authorId, table.id),
    index('posts_author_published_idx').on(table.authorId, sql`coalesce(${table.publishedAt}, 'infinity')`, table.id),
    index('posts_search_idx').using(
      'gin',
      sql`to_tsvector('simple', ${folded(sql`(${table.title} || ' ' || ${table.content})`)})`,
    ),
  ],
)
