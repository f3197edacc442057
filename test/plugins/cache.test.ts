import t from 'tap'
import { addMember, createKey, createOrganization, createUser } from '../helpers/actors.ts'
import { anotherNode, testApp } from '../helpers/app.ts'
import { type Credentials, call } from '../helpers/call.ts'
import { eventually } from '../helpers/mail.ts'
import { statementsOf } from '../helpers/statements.ts'

/** Longer than any test takes: what changes does so because of an event. */
const LONG_MS = 3_600_000
const READERS = 50
const test = await testApp(t, { cacheTtlMs: LONG_MS })
const { app, sql } = test
const other = await anotherNode(t, test)
const nodes = [app, other]
const admin = await createUser(test, { role: 'admin' })
const organization = await createOrganization(test)
const { id: organizationId, owner, member, viewer, outsider } = organization

const prices = [{ currency: 'EUR', amountCents: 2_900 }]
const newProduct = async (name: string): Promise<string> =>
  (await call(app, 'POST /products', { as: admin, body: { name, prices } })).body.id
const newPost = async (publish = true): Promise<string> => {
  const body = { title: 'Title', content: '# Before' }
  const { id } = (await call(app, `POST /organizations/${organizationId}/posts`, { as: member, body })).body
  if (publish) await call(app, `POST /posts/${id}/publish`, { as: member })
  return id
}
const read = (path: string, as: Credentials = viewer, at = app) => call(at, `GET ${path}`, { as })
const everywhere = async (path: string, as?: Credentials) =>
  Promise.all(nodes.map(async node => (await read(path, as, node)).body))

t.test('what is kept is not read again, until an event of it', async t => {
  const id = await newProduct('Before')
  for (const path of [`/products/${id}`, '/products?search=Before']) {
    const before = await everywhere(path)
    // The signal of the creation drops it once more when it arrives here.
    await eventually(async () => (await statementsOf(app, () => read(path))).length === 0, `${path} is kept`)
    t.same(await everywhere(path), before, 'with the same body')
  }
  await sql(`update products set name = 'Unheard' where id = $1`, [id])
  t.equal((await read(`/products/${id}`)).body.name, 'Before', 'a change without an event is not seen')

  await call(app, `PATCH /products/${id}`, { as: admin, body: { name: 'After' } })
  t.match((await read(`/products/${id}`)).body, { name: 'After' }, 'at once where it was made')
  t.same((await read('/products?search=Before')).body.data, [], 'lists too')
  await eventually(
    async () => (await read(`/products/${id}`, viewer, other)).body.name === 'After',
    'on the other node',
  )
  t.match((await read('/products?search=After', viewer, other)).body.data, [{ id, name: 'After' }])
})

t.test('many readers of one row wait for one look', async t => {
  const id = await newProduct('Many')
  const names = await statementsOf(app, () =>
    Promise.all(Array.from({ length: READERS }, () => read(`/products/${id}`))),
  )
  t.same(names, ['products.find'])
  t.match((await app.inject('/metrics')).body, /cache_look_ups_total\{kind="products",outcome="hit"\} [1-9]/)
})

t.test('a row that changes while it is looked up is not kept', async t => {
  const row = { id: 'a', name: 'before' }
  const looks: (() => void)[] = []
  const find = app.cache.define({
    name: 'test',
    of: 'test',
    keyOf: (id: string) => id,
    load: async () => {
      const seen = { ...row }
      await new Promise<void>(resolve => looks.push(resolve))
      return seen
    },
  })
  const first = find('a')
  row.name = 'after'
  app.cache.drop('test', ['a'])
  const second = find('a')
  for (const answer of looks) answer()
  t.match(await first, { name: 'before' }, 'who asked before the change may get what was')
  t.match(await second, { name: 'after' }, 'who asks after it does not')
  t.match(await find('a'), { name: 'after' })
  t.equal(looks.length, 2)
})

t.test('a row that is missing is not kept, also when an event comes while it is looked up', async t => {
  let found: object | undefined
  const find = app.cache.define({ name: 'missing', of: 'missing', keyOf: (id: string) => id, load: async () => found })
  t.equal(await find('a'), undefined)
  const looked = find('a')
  app.cache.drop('missing', ['a'])
  t.equal(await looked, undefined)
  found = {}
  t.equal(await find('a'), found)
})

t.test('a failed look is not kept, and nobody else gets its error later', async t => {
  let fails = true
  const find = app.cache.define({
    name: 'failing',
    keyOf: (id: string) => id,
    load: async (id: string) => {
      if (fails) throw new Error('away')
      return { id }
    },
  })
  const answers = await Promise.allSettled([find('a'), find('a')])
  t.same(
    answers.map(({ status }) => status),
    ['rejected', 'rejected'],
  )
  fails = false
  t.same(await find('a'), { id: 'a' })
})

t.test('a post that others have read is not given to those who may not read it', async t => {
  const draft = await newPost(false)
  const key = await createKey(test, organizationId, 'posts:read')
  const otherKey = await createKey(test, outsider.organizationId, 'posts:read')
  const statuses = async (id: string) => {
    const answers = [member, key, viewer, outsider, otherKey].map(async as => (await read(`/posts/${id}`, as)).status)
    return Promise.all(answers)
  }
  t.same(await statuses(draft), [200, 200, 404, 404, 404], 'a draft')
  t.same(await statuses(draft), [200, 200, 404, 404, 404], 'again, from memory')
  await call(app, `POST /posts/${draft}/publish`, { as: member })
  t.same(await statuses(draft), [200, 200, 200, 404, 404], 'published')
  await call(app, `POST /posts/${draft}/archive`, { as: member })
  t.same(await statuses(draft), [200, 200, 404, 404, 404], 'archived')
  await call(app, `DELETE /posts/${draft}`, { as: member })
  t.same(await statuses(draft), [404, 404, 404, 404, 404], 'deleted')
  t.equal((await read(`/posts/${draft}`, null as never)).status, 401)
})

t.test('who leaves an organization no longer reads its posts', async t => {
  const id = await newPost()
  const user = await createUser(test)
  await addMember(test, organizationId, user.id, 'member')
  t.match(await everywhere(`/posts/${id}`, user), [{ id }, { id }])
  await call(app, `DELETE /organizations/${organizationId}/members/${user.id}`, { as: owner })
  t.equal((await read(`/posts/${id}`, user)).status, 404, 'at once where it was told')
  await eventually(async () => (await read(`/posts/${id}`, user, other)).status === 404, 'and on the other node')
})

t.test('a membership is not kept longer than a second, also when its end is not heard', async t => {
  const id = await newPost()
  const user = await createUser(test)
  await addMember(test, organizationId, user.id, 'member')
  t.match(await read(`/posts/${id}`, user), { status: 200 })
  await sql('delete from members where user_id = $1', [user.id])
  await eventually(async () => (await read(`/posts/${id}`, user)).status === 404, 'access ends')
})

t.test('HTML is that of the last version', async t => {
  const id = await newPost()
  const html = () => read(`/posts/${id}?format=html`)
  t.match(await html(), { body: { html: '<h1>Before</h1>\n' } })
  t.match(await html(), { body: { html: '<h1>Before</h1>\n', content: '# Before' } })
  await call(app, `PATCH /posts/${id}`, { as: member, body: { content: '# After' } })
  t.match(await html(), { body: { html: '<h1>After</h1>\n' } })
  t.match(await read(`/posts/${id}`), { headers: { etag: '"3"' } })
})

t.test('without a cache nothing is kept', async t => {
  const plain = await testApp(t)
  const as = await createUser(plain, { role: 'admin' })
  const { id } = (await call(plain.app, 'POST /products', { as, body: { name: 'Plain', prices } })).body
  const look = () => call(plain.app, `GET /products/${id}`, { as })
  await look()
  t.same(await statementsOf(plain.app, look), ['products.find'])
})
