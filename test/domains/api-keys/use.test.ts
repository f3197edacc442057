import type { FastifyInstance } from 'fastify'
import pg from 'pg'
import t from 'tap'
import { buildApp } from '../../../src/app.ts'
import type { Query } from '../../../src/database/query.ts'
import { createKey, createOrganization, type TestKey } from '../../helpers/actors.ts'
import { type TestApp, testApp } from '../../helpers/app.ts'
import { call } from '../../helpers/call.ts'
import { eventually } from '../../helpers/mail.ts'
import { planOf } from '../../helpers/plans.ts'
import { recordStatements } from '../../helpers/statements.ts'

const KEYS = 20_000
const test = await testApp(t)
const { app, sql, config } = test
const organization = await createOrganization(test)
const { admin } = organization
const path = `/organizations/${organization.id}/api-keys`
const read = ({ app }: Pick<TestApp, 'app'>, as: TestKey) => call(app, `GET /organizations/${organization.id}`, { as })
const rowOf = async ({ id }: TestKey) => (await sql('select * from api_keys where id = $1', [id]))[0]
const used = (key: TestKey) => eventually(async () => (await rowOf(key)).last_used_at ?? undefined, 'last use')

t.test('the last use is in the list soon, and changes neither version nor time of change', async t => {
  const key = await createKey(test, organization.id, 'organization:read')
  const before = await rowOf(key)
  t.equal(before.last_used_at, null)
  t.equal((await read(test, key)).status, 200)
  const lastUsedAt = (await used(key)).toISOString()
  const { data } = (await call(app, `GET ${path}`, { as: admin })).body
  t.match(
    data.find(({ id }: { id: string }) => id === key.id),
    { lastUsedAt },
  )
  t.same({ ...(await rowOf(key)), last_used_at: null }, before)
})

t.test('a thousand uses within a minute, on two nodes, are one write', async t => {
  const key = await createKey(test, organization.id, 'organization:read')
  await sql('create table writes (id uuid)')
  await sql(`create function note_write() returns trigger language plpgsql
    as 'begin insert into writes values (new.id); return new; end'`)
  await sql('create trigger note_write after update on api_keys for each row execute function note_write()')
  const nodes = [await buildApp(config), await buildApp(config)]
  const reads = Array.from({ length: 1_000 }, (_, at) => read({ app: nodes[at % 2] as FastifyInstance }, key))
  for (const { status } of await Promise.all(reads)) if (status !== 200) t.fail(String(status))
  await Promise.all(nodes.map(node => node.close()))
  t.ok((await rowOf(key)).last_used_at, 'a stop writes what waits')
  t.equal((await sql('select from writes where id = $1', [key.id])).length, 1)
  await sql('drop trigger note_write on api_keys')
})

t.test('a use is written again after a minute', async t => {
  const key = await createKey(test, organization.id, 'organization:read')
  const node = async (at: string) => {
    await sql(`update api_keys set last_used_at = now() - $2::interval where id = $1`, [key.id, at])
    const before = (await rowOf(key)).last_used_at
    const app = await buildApp(config)
    await read({ app }, key)
    await app.close()
    return (await rowOf(key)).last_used_at > before
  }
  t.equal(await node('30 seconds'), false)
  t.equal(await node('61 seconds'), true)
})

t.test('a write that fails or would have to wait is in nobody’s way', async t => {
  const key = await createKey(test, organization.id, 'organization:read')
  const held = new pg.Client({ connectionString: config.databaseUrl })
  await held.connect()
  await held.query('begin')
  await held.query('select from api_keys where id = $1 for update', [key.id])
  const node = await buildApp(config)
  t.equal((await read({ app: node }, key)).status, 200)
  await node.close()
  t.equal((await rowOf(key)).last_used_at, null)
  await held.end()

  await sql(
    `create function refuse_write() returns trigger language plpgsql as 'begin raise exception ''refused''; end'`,
  )
  await sql('create trigger refuse_write before update on api_keys for each row execute function refuse_write()')
  const other = await buildApp(config)
  t.equal((await read({ app: other }, key)).status, 200)
  await other.close()
  t.equal((await rowOf(key)).last_used_at, null)
  await sql('drop trigger refuse_write on api_keys')
})

t.test('a look-up touches rows by the index of each hash, among many keys', async t => {
  await sql(
    `insert into api_keys (id, organization_id, name, hash, hint, scopes, previous_hash, previous_expires_at)
      select gen_random_uuid(), $1, 'Key', sha256(n::text::bytea), 'hint', '{tasks:read}', sha256(('p' || n)::bytea),
        now() + interval '1 day' from generate_series(1, ${KEYS}) n`,
    [organization.id],
  )
  await sql('analyze api_keys')
  const seen = recordStatements(app)
  t.equal((await read(test, await createKey(test, organization.id, 'organization:read'))).status, 200)
  const [lookUp] = seen.filter(({ name }) => name === 'api_keys.live')
  const plan = await planOf(config.databaseUrl, lookUp as Query)
  t.same(plan.flatMap(node => node['Index Name'] ?? []).toSorted(), ['api_keys_hash_key', 'api_keys_previous_hash_key'])
  t.notOk(plan.some(node => node['Node Type'] === 'Seq Scan'))
})

t.test('a key that is no longer good fails on the next request, because each asks anew', async t => {
  const key = await createKey(test, organization.id, 'organization:read')
  const seen = recordStatements(app)
  for (let at = 0; at < 3; at++) t.equal((await read(test, key)).status, 200)
  t.equal(seen.filter(({ name }) => name === 'api_keys.live').length, 3)
  await call(app, `DELETE ${path}/${key.id}`, { as: admin })
  t.equal((await read(test, key)).status, 401)
})

t.test('what a key may do in a minute is its own limit, up to that of everybody', async t => {
  const limited = await testApp(t, { rateLimit: 4 })
  const tenant = await createOrganization(limited)
  const keys = `/organizations/${tenant.id}/api-keys`
  const body = { name: 'Import', scopes: ['organization:read'], rateLimit: 2 }
  const created = await call(limited.app, `POST ${keys}`, { as: tenant.admin, body })
  t.equal(created.body.rateLimit, 2)
  const as = { headers: { authorization: `Bearer ${created.body.key}` } }
  const ask = () => call(limited.app, `GET /organizations/${tenant.id}`, { as })
  t.same([(await ask()).status, (await ask()).status], [200, 200])
  const { status, headers } = await ask()
  t.equal(status, 429)
  t.match(headers, {
    'ratelimit-policy': '"api-key";q=2;w=60',
    'x-ratelimit-limit': '2',
    ratelimit: /^"api-key";r=0;t=/,
  })

  const change = (rateLimit: number | null) =>
    call(limited.app, `PATCH ${keys}/${created.body.id}`, { as: tenant.owner, body: { rateLimit } })
  t.equal((await change(1_000_000)).body.rateLimit, 1_000_000)
  t.equal((await ask()).status, 200, 'it counts from the next request on')
  const past = await ask()
  t.match(past.headers, { 'ratelimit-policy': '"default";q=4;w=60' }, 'no key gets above the limit of everybody')
  t.equal((await change(null)).body.rateLimit, null)
  t.equal((await change(0)).status, 422)
})
