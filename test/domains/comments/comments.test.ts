import pg from 'pg'
import t from 'tap'
import { addMember, createKey, createOrganization, createUser } from '../../helpers/actors.ts'
import { testApp } from '../../helpers/app.ts'
import { call } from '../../helpers/call.ts'
import { createComment, createProject, createTask } from '../../helpers/factories.ts'
import { eventually } from '../../helpers/mail.ts'

const test = await testApp(t)
const { app, sql } = test
const organization = await createOrganization(test)
const { owner, admin, member, viewer, outsider } = organization
const taskId = await createTask(test, {
  projectId: await createProject(test, { organizationId: organization.id }),
})
const by = (authorId: string | null) => createComment(test, { taskId, authorId })
const edit = (id: string, as: typeof owner) => call(app, `PATCH /comments/${id}`, { as, body: { body: 'edited' } })
const remove = (id: string, as: typeof owner) => call(app, `DELETE /comments/${id}`, { as })
const bodyOf = async (id: string) => (await sql('select body from comments where id = $1', [id]))[0]?.body

t.test('a comment is edited by its author alone', async t => {
  const id = await by(member.id)
  for (const other of [owner, admin]) t.match((await edit(id, other)).body, { status: 403, code: 'not_the_author' })
  t.equal((await edit(id, viewer)).status, 403)
  t.equal((await edit(id, outsider)).status, 404)
  t.equal(await bodyOf(id), 'Comment')
  t.match((await edit(id, member)).body, { body: 'edited', authorId: member.id })
})

t.test('a comment is deleted by its author or by an admin', async t => {
  const id = await by(admin.id)
  t.match((await remove(id, member)).body, { status: 403, code: 'not_the_author' })
  t.equal((await remove(id, outsider)).status, 404)
  t.ok(await bodyOf(id))
  t.equal((await remove(id, owner)).status, 204)
  t.equal((await remove(await by(member.id), member)).status, 204)
  t.equal((await remove(await by(member.id), admin)).status, 204)
})

t.test('a moderator of the platform removes comments anywhere and does nothing else there', async t => {
  for (const role of ['moderator', 'admin'] as const) {
    const id = await by(member.id)
    const moderator = await createUser(test, { role })
    for (const request of [`GET /comments/${id}`, `GET /tasks/${taskId}/comments`, `GET /tasks/${taskId}`])
      t.equal((await call(app, request, { as: moderator })).status, 404, request)
    t.equal((await edit(id, moderator)).status, 404)
    t.equal(await bodyOf(id), 'Comment')
    t.equal((await remove(id, moderator)).status, 204)
    t.equal(await bodyOf(id), undefined)
    const [event] = await sql('select * from events where target_id = $1', [id])
    t.match(event, { type: 'comment.deleted', actor_type: 'user', actor_id: moderator.id })
    t.match(event, { organization_id: organization.id, data: { authorId: member.id } })
    t.equal((await remove(id, moderator)).status, 404)
  }
  const id = await by(member.id)
  t.equal((await remove(id, await createUser(test))).status, 404, 'an ordinary user finds nothing')
  const inside = await createUser(test, { role: 'moderator' })
  await addMember(test, organization.id, inside.id, 'viewer')
  t.equal((await edit(id, inside)).status, 403, 'a viewer who moderates edits nothing')
  t.equal((await remove(id, inside)).status, 204, 'but removes')
})

t.test('an author who became a viewer changes nothing any more', async t => {
  const id = await by(viewer.id)
  t.equal((await edit(id, viewer)).status, 403)
  t.equal((await remove(id, viewer)).status, 403)
})

t.test('what a key wrote belongs to nobody: only an admin removes it', async t => {
  const key = await createKey(test, organization.id, 'comments:write')
  const { body, status } = await call(app, `POST /tasks/${taskId}/comments`, { as: key, body: { body: 'by key' } })
  t.same([status, body.authorId], [201, null])
  for (const someone of [member, admin]) t.equal((await edit(body.id, someone)).status, 403)
  t.equal((await remove(body.id, member)).status, 403)
  t.equal((await remove(body.id, admin)).status, 204)
})

t.test('a comment on a task that goes at the same moment is 404', async t => {
  const going = await createTask(test, { projectId: await createProject(test, { organizationId: organization.id }) })
  const other = new pg.Client({ connectionString: test.config.databaseUrl })
  await other.connect()
  try {
    await other.query('begin')
    await other.query('delete from tasks where id = $1', [going])
    const answer = call(app, `POST /tasks/${going}/comments`, { as: member, body: { body: 'too late' } })
    const waits = async () =>
      (await sql(`select from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()`))
        .length > 0
    await eventually(waits, 'the comment waits for the task')
    await other.query('commit')
    t.match((await answer).body, { status: 404, code: 'not_found' })
  } finally {
    await other.end()
  }
})

t.test('comments come oldest first, and each change is recorded', async t => {
  const own = await createTask(test, { projectId: await createProject(test, { organizationId: organization.id }) })
  const ids: string[] = []
  for (const body of ['first', 'second', 'third'])
    ids.push((await call(app, `POST /tasks/${own}/comments`, { as: member, body: { body } })).body.id)
  await edit(ids[0] as string, member)
  await remove(ids[1] as string, member)
  const { data } = (await call(app, `GET /tasks/${own}/comments`, { as: viewer })).body
  t.match(data, [{ body: 'edited' }, { body: 'third' }])
  const events = await sql('select type from events where target_id = any($1) order by seq', [ids])
  const created = { type: 'comment.created' }
  t.same(events, [created, created, created, { type: 'comment.updated' }, { type: 'comment.deleted' }])
})

t.test('text comes back byte by byte', async t => {
  const texts = [
    '<script>alert(1)</script>',
    "'; drop table comments; --",
    '\u202e\u200b￿',
    '𝕳𝖊𝖑𝖑𝖔 👩‍👩‍👧',
    '\\u0000',
    '\r\n\t',
    'é é',
    '{{7*7}}',
    '%s%n',
    '\ufeffBOM',
  ]
  for (const body of texts) {
    const answer = await call(app, `POST /tasks/${taskId}/comments`, { as: member, body: { body } })
    t.equal(answer.body.body, body)
    t.equal(await bodyOf(answer.body.id), body)
  }
})
