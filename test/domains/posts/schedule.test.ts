import t from 'tap'
import { createOrganization } from '../../helpers/actors.ts'
import { testApp } from '../../helpers/app.ts'
import { call } from '../../helpers/call.ts'
import { createPost } from '../../helpers/factories.ts'
import { eventually } from '../../helpers/mail.ts'

const test = await testApp(t, { works: true })
const { app, sql } = test
const { id: organizationId, member } = await createOrganization(test)
const draft = () => createPost(test, { organizationId, authorId: member.id })
const publish = (id: string, publishAt: string | null) =>
  call(app, `POST /posts/${id}/publish`, { as: member, body: { publishAt } })
const FUTURE = '2099-01-01T00:00:00.000Z'
const rowOf = async (id: string) => (await sql('select * from posts where id = $1', [id]))[0]
const soon = () => new Date(Date.now() + 1500).toISOString()
/** Lets all jobs of a post start now. */
const wake = (id: string) => sql(`update jobs.job set start_after = now() where data->'payload'->>'postId' = $1`, [id])
const done = (id: string, jobs: number) =>
  eventually(async () => {
    const rows = await sql(`select state from jobs.job where data->'payload'->>'postId' = $1`, [id])
    return rows.length === jobs && rows.every(({ state }: { state: string }) => state === 'completed')
  }, `${jobs} jobs of ${id} end`)

t.test('a scheduled post is published by the system at its time', async t => {
  const id = await draft()
  const publishAt = soon()
  t.match((await publish(id, publishAt)).body, { status: 'scheduled', publishAt, publishedAt: null })
  await eventually(async () => (await rowOf(id)).status === 'published', 'the post is published')
  const row = await rowOf(id)
  t.equal(row.publish_at, null)
  t.ok(row.published_at >= new Date(publishAt), 'and not before')
  const events = await sql('select type, actor_type from events where target_id = $1 order by seq', [id])
  t.same(events, [
    { type: 'post.scheduled', actor_type: 'user' },
    { type: 'post.published', actor_type: 'system' },
  ])
})

t.test('a job of a time that was changed or forgotten does nothing', async t => {
  const moved = await draft()
  await publish(moved, soon())
  await publish(moved, FUTURE)
  const cancelled = await draft()
  await publish(cancelled, FUTURE)
  await call(app, `POST /posts/${cancelled}/unpublish`, { as: member })
  const archived = await draft()
  await publish(archived, FUTURE)
  await call(app, `POST /posts/${archived}/archive`, { as: member })
  const deleted = await draft()
  await publish(deleted, FUTURE)
  await call(app, `DELETE /posts/${deleted}`, { as: member })
  for (const id of [moved, cancelled, archived, deleted]) await wake(id)
  await done(moved, 2)
  for (const id of [cancelled, archived, deleted]) await done(id, 1)
  t.match(await rowOf(moved), { status: 'scheduled', publish_at: new Date(FUTURE) })
  t.match(await rowOf(cancelled), { status: 'draft', publish_at: null })
  t.match(await rowOf(archived), { status: 'archived', publish_at: null })
  const published = await sql(`select from events where type = 'post.published' and target_id = any($1)`, [
    [moved, cancelled, archived, deleted],
  ])
  t.same(published, [])
})

t.test('a time in the past publishes at once, and what is published can be scheduled anew', async t => {
  const id = await draft()
  t.match((await publish(id, '2001-01-01T00:00:00.000Z')).body, { status: 'published', publishAt: null })
  t.match((await publish(id, FUTURE)).body, { status: 'scheduled', publishedAt: null })
  t.match((await publish(id, '9999-12-31T23:59:59.999Z')).body, { status: 'scheduled' }, 'also at the end of time')
})

t.test('a time finer than milliseconds is rounded, and its job finds the post due', async () => {
  const id = await draft()
  await publish(id, soon().replace('Z', '999Z'))
  await eventually(async () => (await rowOf(id)).status === 'published', 'the post is published')
  await done(id, 1)
})
