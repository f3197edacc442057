// Runs in a process of its own: it checks every statement that the process has made, and other tests make some.
import pg from 'pg'
import t from 'tap'
import { connectionOptions } from '../../src/database/client.ts'
import { statementTexts } from '../../src/database/statement.ts'
import { ChangeLog } from '../contract/changes.ts'
import { Client } from '../contract/client.ts'
import { type Json, type Operation, Specification, streams } from '../contract/specification.ts'
import { Tenant } from '../contract/tenant.ts'
import { testApp } from '../helpers/app.ts'
import type { Credentials } from '../helpers/call.ts'
import { type DeclaredColumn, type DeclaredRow, declaredRows } from './declared-rows.ts'
import { Catalogue, type DescribedColumn } from './described-rows.ts'

/** Compares the declared row type of every statement with what PostgreSQL describes. */
const test = await testApp(t)
const specification = new Specification(test.app)
const client = new Client(test, specification)
const log = await ChangeLog.open(test)

/** The JavaScript kinds that the driver's parsers return, by type; every other type is text. */
const KINDS: Record<string, string> = {
  int2: 'number',
  int4: 'number',
  int8: 'number',
  float8: 'number',
  bool: 'boolean',
  json: 'object',
  jsonb: 'object',
  bytea: 'Buffer',
  timestamp: 'Date',
  date: 'Date',
}
const kindOf = (type: string): string => (type.startsWith('_') ? 'array' : (KINDS[type] ?? 'string'))

/** The column that separates the callers of a shared statement; it is not part of their rows. */
const NUMBER = 'n'

function faultsOf({ columns, isList }: DeclaredRow, described: DescribedColumn[]): string[] {
  const names = new Set(described.map(({ name }) => name))
  const missing = [...columns].filter(([name, { optional }]) => !names.has(name) && !optional)
  return [
    ...missing.map(([name]) => `declares ${name}, which is not selected`),
    ...described.flatMap(column => {
      const declared = columns.get(column.name)
      if (!declared)
        return isList || column.name === NUMBER || column.type === 'void'
          ? []
          : [`selects ${column.name}, which is not declared`]
      return columnFaults(declared, column)
    }),
  ]
}

function columnFaults({ kind, nullable }: DeclaredColumn, column: DescribedColumn): string[] {
  const { name, type } = column
  return [
    ...(kind === 'any' || kind === kindOf(type) || (kind === 'array' && kindOf(type) === 'object')
      ? []
      : [`declares ${name} as ${kind}, which is ${type}`]),
    ...(column.nullable && !nullable ? [`declares ${name} as never null, which it may be`] : []),
  ]
}

/** Some statements exist only once they are used: requests every sort, page and filter, and changes every field. */
async function meetShapes(): Promise<void> {
  const tenant = await Tenant.create({ test, client, specification, log })
  for (const operation of specification.all.filter(operation => !streams(operation))) {
    const names = operation.parameters.filter(parameter => parameter.in === 'query').map(({ name }) => name)
    if (operation.method === 'GET' && names.includes('limit'))
      for (const as of [tenant.owner, tenant.key, tenant.world.platformAdmin]) await meetList(tenant, operation, as)
    if (operation.method === 'PATCH') await meetChanges(tenant, operation)
  }
}

async function meetList(tenant: Tenant, operation: Operation, as: Credentials): Promise<void> {
  const params = await tenant.paramsOf(operation)
  const ask = (query: Record<string, string>) => client.send(operation, { as, params, query })
  const parameters = operation.parameters.filter(parameter => parameter.in === 'query')
  const sorts: string[] = parameters.find(({ name }) => name === 'sort')?.schema.enum ?? []
  const scope = parameters.some(({ name }) => name === 'organizationId')
    ? { organizationId: tenant.world.organization.id }
    : {}
  for (const sort of sorts.length > 0 ? sorts.map(sort => ({ sort })) : [{}]) {
    const { status, body } = await ask({ ...scope, ...sort, limit: '1' })
    if (status !== 200) return
    const { nextCursor } = body.meta
    await ask({ ...scope, ...sort, page: '2', limit: '1' })
    // Two at once share a statement.
    for (const more of [{}, ...(nextCursor ? [{ cursor: nextCursor }] : [])])
      await Promise.all([1, 2].map(() => ask({ ...scope, ...sort, ...more, limit: '1' })))
  }
  for (const { name, schema } of parameters.filter(({ name }) => !['limit', 'cursor', 'page', 'sort'].includes(name)))
    await ask({ ...scope, [name]: String(sampleOf(schema, tenant)) })
}

const sampleOf = (schema: Json, tenant: Tenant): Json => {
  const { type, properties = {}, format, enum: values, examples } = specification.resolve(schema)
  if (values) return values[0]
  if (examples) return examples[0]
  if ([type].flat().includes('object'))
    return Object.fromEntries(Object.entries(properties).map(([name, inner]) => [name, sampleOf(inner, tenant)]))
  if (format === 'uuid') return tenant.world.bystander.id
  if (format === 'date-time') return new Date().toISOString()
  return { integer: 1, boolean: true }[[type].flat()[0] as string] ?? 'word'
}

/** Changes each field alone, as far as possible. */
async function meetChanges(tenant: Tenant, operation: Operation): Promise<void> {
  const params = await tenant.paramsOf(operation)
  const as = operation.access.kind === 'platform' ? tenant.world.platformAdmin : tenant.owner
  for (const [name, schema] of Object.entries<Json>(operation.body?.properties ?? {}))
    await client.send(operation, { as, params, body: { [name]: sampleOf(schema, tenant) } })
}

/** A pattern with the name of a table may match other statements too, so longer patterns come first. */
const bySpecificity = (a: DeclaredRow, b: DeclaredRow) => b.name.source.length - a.name.source.length

t.test('every statement answers with the columns, types and nulls that its type declares', async t => {
  await import('../../src/demo.ts')
  await meetShapes()
  const connection = new pg.Client(connectionOptions(test.config.databaseUrl))
  await connection.connect()
  t.teardown(() => connection.end())
  const catalogue = await Catalogue.read(connection)
  const declared = declaredRows()
  const checked = new Set<DeclaredRow>()
  for (const [name, text] of statementTexts) {
    const described = await catalogue.describe(text)
    const plain = name.replace(/(#\d+|\.shared)+$/, '')
    const [row] = declared.filter(row => row.name.test(plain)).sort(bySpecificity)
    if (!row && (described.length === 0 || plain.endsWith('.count'))) continue
    if (!row) {
      t.fail(`${name} declares no rows that test/database/declared-rows.ts finds`)
      continue
    }
    checked.add(row)
    t.same(faultsOf(row, described), [], `${name} at ${row.place}`)
  }
  for (const row of declared) t.ok(checked.has(row), `${row.name.source} at ${row.place} is met`)
})

t.test('a declaration that is wrong is found', async t => {
  const row = (kind: string, nullable: boolean, name = 'dueAt'): DeclaredRow => ({
    name: /x/,
    place: 'here',
    isList: false,
    columns: new Map([[name, { kind, nullable, optional: false }]]),
  })
  const described = [{ name: 'dueAt', type: 'timestamptz', nullable: true }]
  t.same(faultsOf(row('string', true), described), [])
  t.same(faultsOf(row('number', true), described), ['declares dueAt as number, which is timestamptz'])
  t.same(faultsOf(row('string', false), described), ['declares dueAt as never null, which it may be'])
  t.same(faultsOf(row('string', true, 'dueOn'), described), [
    'declares dueOn, which is not selected',
    'selects dueAt, which is not declared',
  ])
})
