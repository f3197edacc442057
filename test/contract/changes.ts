import type { TestApp } from '../helpers/app.ts'
import type { Json } from './specification.ts'

/** One row that a statement has inserted, updated or deleted, with its columns as JSON. */
export interface Change {
  table: string
  before: Json | null
  after: Json | null
}

interface Table {
  primaryKey: string[]
  /** Tables whose rows are deleted, or lose their reference, when a row of this one is deleted. */
  cascades: string[]
}

/** The table of jobs; the other tables of the job library do not depend on requests. */
export const JOBS = 'jobs.job'
/** Written at moments of their own: the cursors of the relay, and counts of requests every few seconds. */
const UNWATCHED = ['event_cursors', 'usage_requests']

const INSTALL = `
  create schema watched;
  create table watched.changes (n bigint generated always as identity, "table" text, before jsonb, after jsonb);
  create function watched.keep() returns trigger language plpgsql security definer as $$
    begin
      insert into watched.changes ("table", before, after) values (
        tg_argv[0],
        case when tg_op <> 'INSERT' then to_jsonb(old) end,
        case when tg_op <> 'DELETE' then to_jsonb(new) end);
      return null;
    end $$;`

const KEYS = `
  select c.relname as name,
    array(select a.attname::text from pg_index i cross join unnest(i.indkey) with ordinality as k(attnum, at)
      join pg_attribute a on a.attrelid = i.indrelid and a.attnum = k.attnum
      where i.indrelid = c.oid and i.indisprimary order by k.at) as "primaryKey",
    array(select distinct f.conrelid::regclass::text from pg_constraint f
      where f.confrelid = c.oid and f.contype = 'f' and f.confdeltype in ('c', 'n', 'd')) as cascades
  from pg_class c where c.relnamespace = 'public'::regnamespace and c.relkind = 'r'`

/**
 * Records every row that is written in any table. Triggers find what a comparison of all rows before and after would
 * find, but cost only as much as the change.
 */
export class ChangeLog {
  readonly #sql: TestApp['sql']
  readonly tables: ReadonlyMap<string, Table>

  private constructor(sql: TestApp['sql'], tables: Map<string, Table>) {
    this.#sql = sql
    this.tables = tables
  }

  static async open({ sql }: TestApp): Promise<ChangeLog> {
    await sql(INSTALL)
    const tables = new Map<string, Table>()
    for (const { name, ...table } of await sql(KEYS)) if (!UNWATCHED.includes(name)) tables.set(name, table)
    for (const name of [...tables.keys(), JOBS])
      await sql(`create trigger watched after insert or update or delete on ${name}
        for each row execute function watched.keep('${name}')`)
    return new ChangeLog(sql, tables)
  }

  /** Forgets what has been written up to now. */
  async forget(): Promise<void> {
    await this.#sql('truncate watched.changes')
  }

  /** Returns every row that has changed since the last call. */
  async take(): Promise<Change[]> {
    const rows: Change[] = await this.#sql(`with taken as (delete from watched.changes returning *)
      select "table", before, after from taken order by n`)
    const byRow = new Map<string, Change>()
    for (const row of rows) {
      const key = `${row.table} ${this.keyOf(row)}`
      byRow.set(key, { ...row, before: (byRow.get(key) ?? row).before })
    }
    return [...byRow.values()].filter(({ table, before, after }) => textOf(table, before) !== textOf(table, after))
  }

  /** Returns the values of a row's primary key, in order. */
  keyOf({ table, before, after }: Change): string[] {
    const row = after ?? before
    return (this.tables.get(table)?.primaryKey ?? ['id']).map(column => String(row[column]))
  }

  /** Returns the tables whose rows may change by foreign keys when a row of `table` is deleted. */
  dependantsOf(table: string, known = new Set<string>()): Set<string> {
    for (const name of this.tables.get(table)?.cascades ?? []) {
      if (known.has(name)) continue
      known.add(name)
      this.dependantsOf(name, known)
    }
    return known
  }
}

/** Leaves out when a key was last used, which is written later without a request. */
const textOf = (table: string, row: Json): string =>
  JSON.stringify(row !== null && table === 'api_keys' ? { ...row, last_used_at: null } : row)
