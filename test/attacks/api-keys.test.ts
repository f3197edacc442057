import t from 'tap'
import { sha256 } from '../../src/lib/crypto.ts'
import { apiKeyOf, newApiKey } from '../../src/lib/keys.ts'
import { Client } from '../contract/client.ts'
import { Specification } from '../contract/specification.ts'
import { World } from '../contract/world.ts'
import { createKey, createOrganization } from '../helpers/actors.ts'
import { testApp } from '../helpers/app.ts'
import { call } from '../helpers/call.ts'
import { recordStatements } from '../helpers/statements.ts'

const test = await testApp(t)
const specification = new Specification(test.app)
const client = new Client(test, specification)
const organization = await createOrganization(test)
const url = `GET /organizations/${organization.id}`
const bearer = (key: string) => ({ authorization: `Bearer ${key}` })

/** Returns wrong keys that share longer and longer prefixes with a real one, each with a correct checksum. */
const closeTo = (key: string): string[] => {
  const secret = key.slice('ltl_test_'.length, -6)
  return [1, 8, 16, 24, 29].map(length => {
    const other = secret[length] === '0' ? '1' : '0'
    return apiKeyOf('test', secret.slice(0, length) + other.repeat(secret.length - length))
  })
}

t.test(
  'nothing tells how much of a guess was right: what is asked for is a hash, and the answer is the same',
  async t => {
    const { key } = await createKey(test, organization.id, 'organization:read')
    const seen = recordStatements(test.app)
    const answers = new Set<string>()
    for (const guess of [...closeTo(key), newApiKey('test'), newApiKey('live')]) {
      const { status, headers, body } = await call(test.app, url, { headers: bearer(guess) })
      t.equal(status, 401)
      const { requestId, ...rest } = body
      answers.add(JSON.stringify([rest, Object.keys(headers).toSorted(), headers['www-authenticate']]))
      const [asked, ...more] = seen.splice(0).filter(({ name }) => name.startsWith('api_keys.'))
      t.same(more, [])
      t.same(asked?.values, [[sha256(guess)], [sha256(guess)]], 'only its hash reaches the database')
    }
    t.equal(answers.size, 1)
  },
)

t.test('guessing is limited by address before any look-up', async t => {
  const limited = await testApp(t, { rateLimit: 20 })
  const seen = recordStatements(limited.app)
  const statuses: number[] = []
  for (let at = 0; at < 25; at++) {
    const answer = await call(limited.app, url, { headers: bearer(newApiKey('test')), from: '192.0.2.1' })
    statuses.push(answer.status)
  }
  t.same(statuses, [...Array(20).fill(401), ...Array(5).fill(429)])
  t.equal(seen.filter(({ name }) => name.startsWith('api_keys.')).length, 20)
})

t.test('what is no key by form or checksum costs no query, wherever it is sent', async t => {
  const good = newApiKey('test')
  const seen = recordStatements(test.app)
  for (const bad of [good.slice(0, -1), `${good.slice(0, -6)}000000`, `${good} `, `ltl_prod_${good.slice(9)}`, 'ltl_'])
    for (const headers of [bearer(bad), { 'x-api-key': bad }])
      t.equal((await call(test.app, url, { headers })).status, 401, bad)
  t.equal(seen.length, 0)
})

t.test('a key counts in no other place: not in the query, a cookie, the body or as basic credentials', async t => {
  const { key } = await createKey(test, organization.id, 'organization:read')
  const basic = Buffer.from(`${key}:`).toString('base64')
  for (const headers of [{ cookie: `key=${key}; authorization=${key}` }, { authorization: `Basic ${basic}` }])
    t.equal((await call(test.app, url, { headers })).status, 401)
  t.equal((await call(test.app, `${url}?api_key=${key}&access_token=${key}`)).status, 401)
})

const written = specification.chosen(
  t,
  ({ method, access }) => method !== 'GET' && 'scope' in access && access.scope !== undefined,
)
let recorded = 0
for (const operation of written) {
  t.test(`${operation.id}: a key acts as itself, and leaves no user behind`, async t => {
    const at = await World.create(test, client, specification)
    const { owner } = at.organization
    const scope = 'scope' in operation.access ? operation.access.scope : undefined
    if (!scope) return
    const key = await createKey(test, at.organization.id, scope)
    const params = await at.paramsOf(operation, owner)
    const body = await at.bodyOf(operation, params, owner)
    const [{ seq }] = await test.sql('select coalesce(max(seq), 0) as seq from events')
    const answer = await client.send(operation, { as: key, params, body })
    t.ok(answer.status < 300, answer.text)
    const events = await test.sql('select actor_type, actor_id, organization_id from events where seq > $1', [seq])
    // What the service does by itself after the request, such as the answer of an assistant, is its own.
    const own = events.filter((event: { actor_type: string }) => event.actor_type !== 'system')
    t.ok(own.length > 0 || events.length === 0)
    recorded += own.length
    for (const event of own)
      t.same(event, { actor_type: 'api_key', actor_id: key.id, organization_id: at.organization.id })
    const made: object[] = answer.status === 201 ? [answer.body.data ?? answer.body].flat() : []
    for (const row of made) t.match(row, 'createdBy' in row ? { createdBy: null } : {})
    for (const row of made) t.match(row, 'authorId' in row ? { authorId: null } : {})
  })
}
// Which operation records what is a matter of the generated tests of effects; some record nothing.
t.test('the log was written to all the while', async t => t.ok(recorded * 2 >= written.length, String(recorded)))
