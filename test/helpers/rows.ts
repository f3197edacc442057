import { randomBytes } from 'node:crypto'
import { newId } from '../../src/lib/ids.ts'
import type { TestApp } from './app.ts'

interface Column {
  name: string
  type: string
  /** The table and the column that it refers to. */
  refers: string | null
  referred: string | null
}

type Row = Record<string, unknown>

/** Sample values for columns without a given value, by type. */
const SAMPLES: Record<string, () => unknown> = {
  uuid: newId,
  text: () => 'Text',
  bytea: () => randomBytes(32),
  boolean: () => false,
  json: () => '{}',
  jsonb: () => '{}',
  'text[]': () => [],
  date: () => new Date().toISOString(),
}
const NUMBERS = /^(smallint|integer|bigint|numeric|xid8)/

function sampleOf(type: string): unknown {
  if (NUMBERS.test(type)) return 1
  const sample = SAMPLES[type] ?? (type.startsWith('timestamp') ? SAMPLES.date : SAMPLES.text)
  return sample?.()
}

/**
 * Inserts a row of any table, by the catalogue of the database. Missing required values are made up, and rows that it
 * refers to are found in the same organization or inserted too. It causes no events or checks.
 */
export async function insertRow(test: Pick<TestApp, 'sql'>, table: string, given: Row = {}): Promise<Row> {
  const row = { ...given }
  for (const { name, type, refers, referred } of await requiredColumns(test, table)) {
    if (name in row) continue
    row[name] = refers ? await valueIn(test, refers, referred as string, given) : sampleOf(type)
  }
  const names = Object.keys(row)
  const [inserted] = await test.sql(
    `insert into ${table} (${names.join(', ')}) values (${names.map((_, at) => `$${at + 1}`).join(', ')}) returning *`,
    Object.values(row),
  )
  return inserted
}

const WITHOUT_ORGANIZATION = ['users', 'organizations', 'products', 'prices']

async function valueIn(
  test: Pick<TestApp, 'sql'>,
  table: string,
  column: string,
  { organization_id }: Row,
): Promise<unknown> {
  if (organization_id === undefined || WITHOUT_ORGANIZATION.includes(table))
    return (await insertRow(test, table))[column]
  const [known] = await test.sql(`select ${column} from ${table} where organization_id = $1 limit 1`, [organization_id])
  return (known ?? (await insertRow(test, table, { organization_id })))[column]
}

const requiredColumns = ({ sql }: Pick<TestApp, 'sql'>, table: string): Promise<Column[]> =>
  sql(
    `select a.attname as name, format_type(a.atttypid, null) as type, f.confrelid::regclass::text as refers,
        (select r.attname from pg_attribute r where r.attrelid = f.confrelid
          and r.attnum = f.confkey[array_position(f.conkey, a.attnum)]) as referred
      from pg_attribute a
      left join pg_constraint f on f.conrelid = a.attrelid and f.contype = 'f' and a.attnum = any(f.conkey)
      where a.attrelid = $1::regclass and a.attnum > 0 and not a.attisdropped and a.attnotnull and not a.atthasdef
        and a.attidentity = ''`,
    [table],
  )
