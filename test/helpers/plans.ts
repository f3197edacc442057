import pg from 'pg'
import { connectionOptions } from '../../src/database/client.ts'
import type { Query } from '../../src/database/executor.ts'

export interface Plan {
  'Node Type': string
  'Relation Name'?: string
  'Index Name'?: string
  Plans?: Plan[]
}

const nodes = (plan: Plan): Plan[] => [plan, ...(plan.Plans ?? []).flatMap(nodes)]

const literal = (value: unknown): string => {
  if (value === null || typeof value === 'number') return String(value)
  return pg.escapeLiteral(Array.isArray(value) ? `{${value.map(element).join()}}` : String(value))
}
const element = (value: unknown): unknown =>
  Buffer.isBuffer(value) ? `"\\\\x${value.toString('hex')}"` : (value ?? 'null')

/** Every node of the plan of a prepared statement as the app sends it, on a connection as the app opens it. */
export async function planOf(databaseUrl: string, { text, values }: Query): Promise<Plan[]> {
  const client = new pg.Client({ ...connectionOptions(databaseUrl), statement_timeout: 0 })
  await client.connect()
  try {
    await client.query(`prepare asked as ${text}`)
    const { rows } = await client.query(`explain (format json) execute asked (${values.map(literal).join(', ')})`)
    return nodes(rows[0]['QUERY PLAN'][0].Plan)
  } finally {
    await client.end()
  }
}
