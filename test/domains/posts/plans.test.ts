import t from 'tap'
import { createOrganization } from '../../helpers/actors.ts'
import { testApp } from '../../helpers/app.ts'
import { planChecker } from '../../helpers/plans.ts'

const POSTS = 100_000
const COMMENTS = 100_000
const test = await testApp(t)
const { sql } = test
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

const check = planChecker(test, member, 'posts', 'comments')
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
