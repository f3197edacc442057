import t, { type Test } from 'tap'
import type { Query } from '../../../src/database/query.ts'
import { createOrganization } from '../../helpers/actors.ts'
import { testApp } from '../../helpers/app.ts'
import { call } from '../../helpers/call.ts'
import { planOf } from '../../helpers/plans.ts'
import { recordStatements } from '../../helpers/statements.ts'

const POSTS = 100_000
const COMMENTS = 100_000
const test = await testApp(t)
const { app, sql, config } = test
const { id: organizationId, member, viewer } = await createOrganization(test)
await sql(
  `insert into posts (id, organization_id, author_id, title, content, slug, status, published_at)
    select (lpad(to_hex(1750000000000 + n), 12, '0') || '7000a000' || lpad(to_hex(n), 12, '0'))::uuid, $1,
      case when n % 5 = 0 then $2::uuid end, 'Post number ' || n, 'The frame is straight.', 'post-' || n,
      (array['draft', 'published', 'published', 'archived'])[1 + n % 4],
      case when n % 4 in (1, 2) then now() - n * interval '1 minute' end
    from generate_series(1, ${POSTS}) n`,
  [organizationId, member.id],
)
const [{ id: postId }] = await sql(`select id from posts where status = 'published' order by id limit 1`)
await sql(
  `insert into comments (id, organization_id, post_id, body)
    select gen_random_uuid(), $1, first.ids[1 + n % 1000], 'A comment'
    from generate_series(1, ${COMMENTS}) n, (select array(select id from posts order by id limit 1000) ids) first`,
  [organizationId],
)
await sql('analyze')

const seen = recordStatements(app)

/** Checks that the page comes in one statement that scans no table; returns it with the number of sorts. */
async function check(t: Test, path: string, as = member) {
  seen.length = 0
  const { status, body } = await call(app, `GET ${path}`, { as })
  t.equal(status, 200, path)
  const statements = seen.filter(({ name }) => /^(posts|comments)\./.test(name))
  t.equal(statements.length, 1, 'one round trip')
  const plan = await planOf(config.databaseUrl, statements[0] as Query)
  const scanned = plan.filter(
    node => node['Node Type'] === 'Seq Scan' && ['posts', 'comments'].includes(node['Relation Name'] ?? ''),
  )
  t.equal(scanned.length, 0, `${path} scans no table`)
  return { body, sorts: plan.filter(node => /Sort/.test(node['Node Type'])).length }
}

const scopes = { organization: `/organizations/${organizationId}/posts`, user: `/users/${member.id}/posts` }

for (const [scope, path] of Object.entries(scopes)) {
  t.test(`the posts of ${scope} are read from an index in each order, from the start and from a cursor`, async t => {
    for (const sort of ['createdAt', '-createdAt', 'publishedAt', '-publishedAt']) {
      const first = await check(t, `${path}?sort=${sort}`)
      t.equal(first.sorts, 0, `${sort} sorts nothing`)
      const next = await check(t, `${path}?sort=${sort}&cursor=${first.body.meta.nextCursor}`)
      t.equal(next.sorts, 0, `${sort} sorts nothing after a cursor`)
    }
  })

  t.test(`the posts of ${scope} with a filter, and those of a viewer, scan no table`, async t => {
    for (const filter of ['status=published', 'status=archived', 'search=77775']) await check(t, `${path}?${filter}`)
    await check(t, path, viewer)
  })
}

t.test('a post and its comments are read by index', async t => {
  await check(t, `/posts/${postId}`)
  await check(t, `/posts/${postId}`, viewer)
  await check(t, `/posts/${postId}/comments`, viewer)
  await check(t, `${scopes.organization}?authorId=${member.id}`)
})
