import type { TestApp } from '../helpers/app.ts'

/** Everything that the domains keep, as one hash for each table; not when a key was last used, which is written later. */
export async function snapshotOf({ sql }: TestApp): Promise<Record<string, string>> {
  const tables = await sql(
    `select table_name as name from information_schema.tables
      where table_schema = 'public' and table_type = 'BASE TABLE' and table_name not in ('event_cursors')`,
  )
  const hashes = tables.map(
    ({ name }: { name: string }) =>
      `(select md5(string_agg(row, '' order by row)) from ${name} t, text(to_jsonb(t) - 'last_used_at') row) as ${name}`,
  )
  return (await sql(`select ${hashes.join(', ')}`))[0]
}
