import pg from 'pg'
import type { Test } from 'tap'
import { connectionOptions } from '../../src/database/client.ts'
import type { Query } from '../../src/database/query.ts'
import type { TestApp } from './app.ts'
import { type Credentials, call } from './call.ts'
import { recordStatements } from './statements.ts'

export interface Plan {
  'Node Type': string
  'Relation Name'?: string
  'Index Name'?: string
  'Actual Rows': number
  'Actual Loops': number
  'Rows Removed by Filter'?: number
  Plans?: Plan[]
}

const nodes = (plan: Plan): Plan[] => [plan, ...(plan.Plans ?? []).flatMap(nodes)]

const literal = (value: unknown): string => {
  if (value === null || typeof value === 'number') return String(value)
  return pg.escapeLiteral(Array.isArray(value) ? `{${value.map(element).join()}}` : String(value))
}
const element = (value: unknown): unknown =>
  Buffer.isBuffer(value) ? `"\\\\x${value.toString('hex')}"` : (value ?? 'null')

/** Returns the number of rows that were read, also those that a filter removed. */
export const rowsRead = (plan: Plan[]): number =>
  plan
    .filter(node => node['Relation Name'] !== undefined)
    .reduce(
      (sum, node) => sum + node['Actual Loops'] * (node['Actual Rows'] + (node['Rows Removed by Filter'] ?? 0)),
      0,
    )

/** Returns all nodes of the plan of a prepared statement, on a connection with the options of the app. */
export async function planOf(databaseUrl: string, { text, values }: Query): Promise<Plan[]> {
  const client = new pg.Client({ ...connectionOptions(databaseUrl), statement_timeout: 0 })
  await client.connect()
  try {
    await client.query(`prepare asked as ${text}`)
    const { rows } = await client.query(
      `explain (analyze, format json) execute asked (${values.map(literal).join(', ')})`,
    )
    return nodes(rows[0]['QUERY PLAN'][0].Plan)
  } finally {
    await client.end()
  }
}

/**
 * Returns a function that reads a page or a row and checks that it comes in one statement that scans none of `tables`. It
 * returns the body with the number of sorts.
 */
export function planChecker({ app, config }: TestApp, as: Credentials, ...tables: string[]) {
  const seen = recordStatements(app)
  return async (t: Test, path: string, reader = as) => {
    seen.length = 0
    const { status, body } = await call(app, `GET ${path}`, { as: reader })
    t.equal(status, 200, path)
    const statements = seen.filter(({ name }) => tables.some(table => name.startsWith(`${table}.`)))
    t.equal(statements.length, 1, 'one round trip')
    const plan = await planOf(config.databaseUrl, statements[0] as Query)
    const scans = plan.filter(node => node['Node Type'] === 'Seq Scan' && tables.includes(node['Relation Name'] ?? ''))
    t.equal(scans.length, 0, `${path} scans no table`)
    return { body, sorts: plan.filter(node => /Sort/.test(node['Node Type'])).length }
  }
}
