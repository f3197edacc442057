import type { TestApp } from '../helpers/app.ts'

/**
 * Returns a fingerprint of each table, which every insert, update and delete changes, because a written row has another
 * `xmin`. Left out is when a key was last used, which is written later.
 */
export async function snapshotOf({ sql }: TestApp): Promise<Record<string, string>> {
  const tables = await sql(
    `select table_name as name,
        exists (select from information_schema.columns c
          where c.table_schema = 'public' and c.table_name = t.table_name and column_name = 'last_used_at') as used
      from information_schema.tables t
      where table_schema = 'public' and table_type = 'BASE TABLE' and table_name not in ('event_cursors')`,
  )
  const rows = (used: boolean) =>
    used ? `hashtextextended((to_jsonb(t) - 'last_used_at')::text, 0)` : 'xmin::text::bigint'
  const fingerprints = tables.map(
    ({ name, used }: { name: string; used: boolean }) =>
      `(select count(*) || ' ' || sum(${rows(used)}) from ${name} t) as ${name}`,
  )
  return (await sql(`select ${fingerprints.join(', ')}`))[0]
}
