import t from 'tap'
import { loadDemo } from '../../src/demo.ts'
import { testApp } from '../helpers/app.ts'

// What docs/decisions/018-distribution.md promises: the rows of an organization can be kept together on one node.

/** Rows of an organization that are found by their parent alone; they stand beside it and get its column when it moves. */
const CHILDREN: Record<string, string> = {
  chat_chunks: 'chat_messages',
  entries: 'accounts',
  order_lines: 'orders',
  task_reminders: 'tasks',
}
/** Rows of a person, who may belong to many organizations: small, and known on each node. */
const PEOPLE = [
  'avatar_images',
  'avatars',
  'digests',
  'email_changes',
  'identities',
  'profiles',
  'sessions',
  'settings',
  'tokens',
  'users',
]
/** Read often, written by the operator: known on each node. */
const CATALOGUE = ['prices', 'products']
/** Written by processes, each for itself or once for all. */
const SERVICE = [
  'event_cursors',
  'event_epoch',
  'event_horizon',
  'idempotency_keys',
  'sandbox_payments',
  'sandbox_refunds',
  'stripe_events',
]
/** Keys that hold across organizations, with the reason. */
const KEYS: Record<string, string> = {
  api_keys_hash_key: 'the SHA-256 of 28 random characters finds the organization of a request: an index over all nodes',
  api_keys_previous_hash_key: 'as api_keys_hash_key',
  invitations_token_key: 'the SHA-256 of a random token, which finds the organization: an index over all nodes',
  organizations_slug_key: 'a slug is unique among all organizations: an index over all nodes',
  transfers_source_key: 'the source is a payment, fee or refund of the same organization',
  transfers_reverses_key: 'a transfer and the one that reverses it have the same accounts',
}

interface Key {
  table: string
  name: string
  columns: string[]
}
interface Reference extends Key {
  target: string
}

const COLUMNS = `array(select attname::text from unnest(%) with ordinality k(n, at)
  join pg_attribute a on a.attnum = k.n and a.attrelid = # order by at)`
const columnsOf = (keys: string, table: string) => COLUMNS.replace('%', keys).replace('#', table)

const { app, sql } = await testApp(t)
const tables: { name: string; tenant: boolean }[] = await sql(
  `select relname as name, exists (select from pg_attribute where attrelid = c.oid and attname = 'organization_id') as tenant
   from pg_class c where relnamespace = 'public'::regnamespace and relkind in ('r', 'p') and not relispartition order by 1`,
)
const keys: Key[] = await sql(
  `select indrelid::regclass::text as table, indexrelid::regclass::text as name, ${columnsOf('indkey', 'indrelid')} as columns
   from pg_index where indisunique and indrelid in (select oid from pg_class where relnamespace = 'public'::regnamespace and not relispartition)`,
)
const references: Reference[] = await sql(
  `select conrelid::regclass::text as table, conname as name, confrelid::regclass::text as target,
     ${columnsOf('conkey', 'conrelid')} as columns
   from pg_constraint where contype = 'f' and connamespace = 'public'::regnamespace and conparentid = 0`,
)
const tenants = new Set(tables.filter(({ tenant }) => tenant).map(({ name }) => name))
const together = new Set([...tenants, ...Object.keys(CHILDREN), 'organizations'])
const everywhere = new Set([...PEOPLE, ...CATALOGUE])

t.test('every table is of an organization, a child of such a table, or known on each node', async t => {
  const others = tables.map(({ name }) => name).filter(name => !together.has(name))
  t.same(others, [...PEOPLE, ...CATALOGUE, ...SERVICE].toSorted())
  for (const [child, parent] of Object.entries(CHILDREN)) {
    t.ok(tenants.has(parent), `${parent} has an organization`)
    const points = references.some(({ table, target }) => table === child && target === parent)
    t.ok(points || child === 'entries', `${child} points to ${parent}`)
  }
})

t.test('a unique key of an organization holds on the node of its rows, or is exempt by name', async t => {
  const parents = new Map(
    references.filter(({ target }) => together.has(target)).map(ref => [`${ref.table}.${ref.columns[0]}`, ref]),
  )
  const exempt: string[] = []
  for (const { table, name, columns } of keys) {
    if (!together.has(table)) continue
    const isIdentity = columns.length === 1 && columns[0] === 'id'
    const isOfParent = parents.has(`${table}.${columns[0]}`) || table in CHILDREN
    if (!columns.includes('organization_id') && !isIdentity && !isOfParent) exempt.push(name)
  }
  t.same(exempt.toSorted(), Object.keys(KEYS).toSorted())
})

t.test('a row points to rows of its organization, or to what is known on each node', async t => {
  for (const { table, name, target, columns } of references) {
    if (!together.has(table) || columns.includes('organization_id')) continue
    t.ok(together.has(target) || everywhere.has(target), `${name} stays on its node`)
  }
})

t.test('rows that point to each other have the same organization', async t => {
  await loadDemo(app)
  for (const { table, target, columns } of references) {
    if (!tenants.has(table) || !tenants.has(target) || columns.length > 1) continue
    const [{ count }] = await sql(
      `select count(*)::int as count from ${table} a join ${target} b on b.id = a.${columns[0]} where a.organization_id <> b.organization_id`,
    )
    t.equal(count, 0, `${table}.${columns[0]}`)
  }
})
