import t from 'tap'
import { addMember, createKey, createOrganization, createUser } from '../../helpers/actors.ts'
import { testApp } from '../../helpers/app.ts'
import { call } from '../../helpers/call.ts'
import { createPost } from '../../helpers/factories.ts'

const test = await testApp(t)
const { app, sql } = test
const organization = await createOrganization(test)
const { id: organizationId, owner, admin, member, viewer, outsider } = organization
const path = `/organizations/${organizationId}/posts`
type As = Pick<typeof owner, 'headers'>
const write = (body: object, as: As = member) => call(app, `POST ${path}`, { as, body })
const statusOf = async (id: string) => (await sql('select status from posts where id = $1', [id]))[0]?.status
const eventsOf = async (id: string) =>
  (await sql('select type from events where target_id = $1 order by seq', [id])).map(
    (row: { type: string }) => row.type,
  )
const idsOf = ({ body }: Awaited<ReturnType<typeof call>>) => body.data.map(({ id }: { id: string }) => id)

t.test('a post is a draft first, and each change of its state is recorded once', async t => {
  const { body: post, headers } = await write({ title: 'We moved', content: '# Hello' })
  t.match(post, { status: 'draft', authorId: member.id, content: '# Hello', publishAt: null, publishedAt: null })
  t.equal(headers.location, `/api/v1/posts/${post.id}`)
  const act = async (action: string, body?: object) =>
    (await call(app, `POST /posts/${post.id}/${action}`, { as: member, ...(body && { body }) })).body
  const published = await act('publish', {})
  t.match(published, { status: 'published', publishedAt: /Z$/ })
  t.same(await act('publish', {}), published, 'twice is once')
  t.match(await act('archive'), { status: 'archived', publishedAt: published.publishedAt })
  t.match(await act('unpublish'), { status: 'draft', publishedAt: null })
  t.same(await eventsOf(post.id), ['post.created', 'post.published', 'post.archived', 'post.unpublished'])
})

t.test('a viewer finds only what is published: by id, in lists, in totals and by its comments', async t => {
  const id = await createPost(test, { organizationId, authorId: member.id, title: 'Hidden' })
  const comment = await call(app, `POST /posts/${id}/comments`, { as: member, body: { body: 'secret' } })
  t.match(comment, { status: 201, body: { postId: id, taskId: null } })
  const reads = [`/posts/${id}`, `/posts/${id}/comments`, `/comments/${comment.body.id}`]
  const lists = [`${path}?search=Hidden`, `/users/${member.id}/posts?search=Hidden`, `${path}?status=draft`]
  for (const status of ['draft', 'scheduled', 'archived', 'published']) {
    await sql('update posts set status = $2 where id = $1', [id, status])
    const isSeen = status === 'published'
    for (const read of reads) {
      t.equal((await call(app, `GET ${read}`, { as: viewer })).status, isSeen ? 200 : 404, `${status}: ${read}`)
      t.equal((await call(app, `GET ${read}`, { as: member })).status, 200, `${status}: a member reads ${read}`)
      t.equal((await call(app, `GET ${read}`, { as: outsider })).status, 404, `${status}: an outsider reads no ${read}`)
    }
    for (const list of lists.slice(0, 2)) {
      const { body } = await call(app, `GET ${list}&count=exact`, { as: viewer })
      t.same([body.data.length, body.meta.total], isSeen ? [1, 1] : [0, 0], `${status}: ${list}`)
    }
    t.same(idsOf(await call(app, `GET ${lists[2]}`, { as: viewer })), [])
  }
})

t.test('the posts of a user are those that the reader may see, from the organizations of both', async t => {
  const author = await createUser(test)
  await addMember(test, organizationId, author.id, 'member')
  await addMember(test, outsider.organizationId, author.id, 'member')
  const here = await createPost(test, { organizationId, authorId: author.id, status: 'published' })
  const draft = await createPost(test, { organizationId, authorId: author.id })
  const there = await createPost(test, {
    organizationId: outsider.organizationId,
    authorId: author.id,
    status: 'published',
  })
  const of = async (as: As) => idsOf(await call(app, `GET /users/${author.id}/posts?sort=createdAt`, { as }))
  t.same(await of(viewer), [here])
  t.same(await of(member), [here, draft])
  t.same(await of(outsider), [there])
  t.same(await of(author), [here, draft, there])
  t.same(await of(await createKey(test, organizationId, 'posts:read')), [here, draft])
  const stranger = await createUser(test)
  t.equal((await call(app, `GET /users/${author.id}/posts`, { as: stranger })).status, 404)
  t.same(idsOf(await call(app, `GET /users/${stranger.id}/posts`, { as: stranger })), [])
})

t.test('a post is changed by its author, an admin and a key with the scope, and by nobody else', async t => {
  const actions = ['PATCH', 'DELETE', 'POST publish', 'POST unpublish', 'POST archive'] as const
  const send = (id: string, action: string, as: As) => {
    const [method, name] = action.split(' ')
    const body = method === 'PATCH' ? { title: 'New' } : name === 'publish' ? {} : undefined
    return call(app, `${method} /posts/${id}${name ? `/${name}` : ''}`, { as, ...(body && { body }) })
  }
  const other = await createUser(test)
  await addMember(test, organizationId, other.id, 'member')
  const key = await createKey(test, organizationId, 'posts:write')
  const reader = await createKey(test, organizationId, 'posts:read')
  for (const action of actions) {
    const id = await createPost(test, { organizationId, authorId: member.id, status: 'published' })
    t.match(await send(id, action, other), { status: 403, body: { code: 'post_of_somebody_else' } }, action)
    for (const small of [viewer, reader]) t.equal((await send(id, action, small)).status, 403, action)
    t.equal((await send(id, action, outsider)).status, 404, action)
    t.match(await sql('select title, status, version from posts where id = $1', [id]), [{ title: 'Post', version: 1 }])
    for (const able of [member, admin, key]) {
      const own = await createPost(test, { organizationId, authorId: member.id, status: 'published' })
      t.ok((await send(own, action, able)).status < 300, action)
    }
  }
  const byKey = (await write({ title: 'By key', content: '' }, key)).body
  t.equal(byKey.authorId, null)
  t.equal((await send(byKey.id, 'PATCH', member)).status, 403, 'what a key wrote belongs to nobody')
})

t.test('a moderator of the platform removes posts anywhere and does nothing else there', async t => {
  const moderator = await createUser(test, { role: 'moderator' })
  const id = await createPost(test, { organizationId, authorId: member.id, status: 'published' })
  await call(app, `POST /posts/${id}/comments`, { as: member, body: { body: 'x' } })
  t.equal((await call(app, `GET /posts/${id}`, { as: moderator })).status, 404)
  t.equal((await call(app, `PATCH /posts/${id}`, { as: moderator, body: { title: 'x' } })).status, 404)
  t.equal((await call(app, `POST /posts/${id}/archive`, { as: moderator })).status, 404)
  t.equal((await call(app, `DELETE /posts/${id}`, { as: moderator })).status, 204)
  t.equal(await statusOf(id), undefined)
  t.same(await sql('select from comments where post_id = $1', [id]), [], 'its comments go with it')
  const [event] = await sql(`select * from events where target_id = $1 and type = 'post.deleted'`, [id])
  t.match(event, { actor_id: moderator.id, organization_id: organizationId })
})

t.test('a slug is unique in its organization alone, also among concurrent requests', async t => {
  const answers = await Promise.all(
    Array.from({ length: 10 }, () => write({ title: 'Once', content: '', slug: 'only-once' })),
  )
  t.same(answers.map(({ status }) => status).sort(), [201, ...new Array(9).fill(409)])
  t.match(answers.find(({ status }) => status === 409)?.body, { code: 'post_slug_taken' })
  const elsewhere = `POST /organizations/${outsider.organizationId}/posts`
  const there = { title: 'Once', content: '', slug: 'only-once' }
  t.equal((await call(app, elsewhere, { as: outsider, body: there })).status, 201)
  const { body: second } = await write({ title: 'Once', content: '' })
  t.match(second.slug, /^once-[0-9a-f]{8}$/)
  const taken = await call(app, `PATCH /posts/${second.id}`, { as: member, body: { slug: 'only-once' } })
  t.match(taken, { status: 409, body: { code: 'post_slug_taken' } })
  for (const title of ['日本語', '👩‍👩‍👧', 'É'.repeat(200), '-'])
    t.match((await write({ title, content: '' })).body.slug, /^[a-z0-9]+(-[a-z0-9]+)*$/, title)
})

t.test('content is kept as written, and rendered without what runs only where HTML is asked for', async t => {
  const content = '**bold** <script>alert(1)</script> [x](javascript:alert(1))\r\n\t\u202e'
  const { body: post } = await write({ title: 'Markdown', content })
  const plain = await call(app, `GET /posts/${post.id}`, { as: member })
  t.same([plain.body.content, plain.body.html], [content, undefined])
  const { body } = await call(app, `GET /posts/${post.id}?format=html`, { as: member })
  t.equal(body.content, content)
  t.match(body.html, /<strong>bold<\/strong> &lt;script&gt;/)
  t.notMatch(body.html, /<script|href/)
  t.equal((await call(app, `GET /posts/${post.id}?format=pdf`, { as: member })).status, 422)
})

t.test('posts are found by whole words of title and content, in any case', async t => {
  const id = await createPost(test, { organizationId, title: 'Größe', content: 'Zebra crossing' })
  for (const search of ['GRÖSSE', 'zebra', '"zebra crossing"'])
    t.same(idsOf(await call(app, `GET ${path}?search=${encodeURIComponent(search)}`, { as: member })), [id], search)
  for (const search of ['zebr', '"crossing zebra"', 'zebra -crossing'])
    t.same(idsOf(await call(app, `GET ${path}?search=${encodeURIComponent(search)}`, { as: member })), [], search)
})

t.test('posts sort by publication, those not published last, and pages hold each once', async t => {
  const { id, member } = await createOrganization(test)
  for (const status of ['draft', 'published', 'published', 'archived', 'published'] as const)
    await createPost(test, { organizationId: id, status })
  const seen: { publishedAt: string | null }[] = []
  let cursor = ''
  do {
    const { body } = await call(app, `GET /organizations/${id}/posts?sort=publishedAt&limit=2${cursor}`, { as: member })
    seen.push(...body.data)
    cursor = body.meta.nextCursor ? `&cursor=${body.meta.nextCursor}` : ''
  } while (cursor)
  const times = seen.map(({ publishedAt }) => publishedAt ?? '~')
  t.same([times.length, times], [5, times.toSorted()])
})
