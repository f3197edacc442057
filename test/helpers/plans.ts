import pg from 'pg'
import { connectionOptions } from '../../src/database/client.ts'
import type { Query } from '../../src/database/query.ts'

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
