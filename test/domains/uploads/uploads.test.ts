import { createHash, randomBytes } from 'node:crypto'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { createOrganization } from '../../helpers/actors.ts'
import { listen, testApp } from '../../helpers/app.ts'
import { call } from '../../helpers/call.ts'
import { eventually } from '../../helpers/mail.ts'

const QUOTA = 1_000_000
const MAX = 600_000
const files = { maxBytes: 1_000, directMaxBytes: MAX, quotaBytes: QUOTA }
const test = await testApp(t, { works: true, files })
const { app, sql, config } = test
const base = new URL(await listen(app))
const { id: organizationId, member, viewer } = await createOrganization(test)

const sha256 = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex')
const announce = (bytes: Buffer, change: object = {}) =>
  call(app, `POST /organizations/${organizationId}/uploads`, {
    as: member,
    body: { name: 'räport.bin', sizeBytes: bytes.length, sha256: sha256(bytes), ...change },
  })
const complete = (id: string) => call(app, `POST /uploads/${id}/complete`, { as: member })
/** Sends bytes as any HTTP client does, to this process and not to the public URL. */
async function put(url: string, bytes: Buffer | string, headers: Record<string, string> = {}) {
  const { pathname, search } = new URL(url)
  const answer = await fetch(new URL(`${pathname}${search}`, base), { method: 'PUT', body: bytes, headers })
  return { status: answer.status, text: await answer.text() }
}
const used = async () =>
  Number((await sql('select bytes from file_usage where organization_id = $1', [organizationId]))[0]?.bytes ?? 0)
async function stored(): Promise<string[]> {
  const entries = await readdir(join(config.dataDirectory, 'files'), { recursive: true, withFileTypes: true })
  return entries.filter(entry => entry.isFile()).map(({ name }) => name)
}

t.test('announced, sent and completed, it is a file like any other', async t => {
  const bytes = randomBytes(500_000)
  const { status, body, headers } = await announce(bytes)
  t.equal(status, 201)
  t.equal(headers.location, `/api/v1/uploads/${body.id}`)
  t.ok(body.url.startsWith(`${config.publicUrl}/storage/${body.id}?`), body.url)
  t.equal(await used(), bytes.length, 'its room is taken at once')
  t.match(await complete(body.id), { status: 409, body: { code: 'upload_incomplete' } })
  t.same(await put(body.url, bytes, { 'content-type': 'text/html' }), { status: 200, text: '' })
  const file = await complete(body.id)
  t.match(file, {
    status: 200,
    body: {
      id: body.id,
      name: 'räport.bin',
      type: 'application/octet-stream',
      sizeBytes: 500_000,
      sha256: sha256(bytes),
    },
  })
  const content = await app.inject({ url: `/api/v1/files/${body.id}/content`, headers: viewer.headers })
  t.ok(content.rawPayload.equals(bytes))
  t.same((await complete(body.id)).body, file.body, 'completing it again answers with the same file')
  const { url: _url, headers: _headers, ...known } = body
  t.match((await call(app, `GET /uploads/${body.id}`, { as: viewer })).body, {
    ...known,
    status: 'completed',
    updatedAt: /./,
  })
  t.same(await sql('select type from events where target_id = $1 order by id', [body.id]), [
    { type: 'upload.created' },
    { type: 'file.created' },
  ])
  t.equal(await used(), bytes.length, 'and taken once')
  t.match(await call(app, `DELETE /uploads/${body.id}`, { as: member }), {
    status: 409,
    body: { code: 'upload_completed' },
  })
  t.equal((await call(app, `DELETE /files/${body.id}`, { as: member })).status, 204)
  t.equal(await used(), 0)
  t.equal((await complete(body.id)).status, 404)
})

t.test('completed at the same time, it is one file', async t => {
  const bytes = Buffer.from('at the same time')
  const { body } = await announce(bytes)
  await put(body.url, bytes)
  const answers = await Promise.all(Array.from({ length: 8 }, () => complete(body.id)))
  t.same(new Set(answers.map(({ status, text }) => `${status} ${text}`)).size, 1)
  t.same(await sql(`select type from events where type = 'file.created' and target_id = $1`, [body.id]), [
    { type: 'file.created' },
  ])
})

t.test('other bytes than those announced are refused and not kept', async t => {
  const bytes = randomBytes(10_000)
  const { body } = await announce(bytes)
  const others: [string, Buffer][] = [
    ['fewer', bytes.subarray(1)],
    ['more', Buffer.concat([bytes, Buffer.from([0])])],
    ['many more', randomBytes(3_000_000)],
    ['others', randomBytes(bytes.length)],
    ['none', Buffer.alloc(0)],
  ]
  for (const [what, sent] of others) {
    const { status, text } = await put(body.url, sent)
    t.same([status, JSON.parse(text).code], [422, 'upload_differs'], what)
  }
  t.notOk((await stored()).includes(body.id))
  t.equal((await complete(body.id)).status, 409)
  t.equal((await put(body.url, bytes)).status, 200, 'after that the right ones are taken')
})

t.test('an empty file is one too', async t => {
  const { body } = await announce(Buffer.alloc(0))
  t.equal((await put(body.url, '')).status, 200)
  t.match(await complete(body.id), { status: 200, body: { sizeBytes: 0, type: 'text/plain' } })
})

t.test('the URL is good for its key, its method and its time only', async t => {
  const bytes = Buffer.from('hello\n')
  const { body } = await announce(bytes)
  const other = await announce(bytes)
  const { search } = new URL(body.url)
  t.equal((await put(`http://x/storage/${other.body.id}${search}`, bytes)).status, 403)
  t.equal((await call(app, `GET /storage/${body.id}${search}`)).status, 403)
  t.equal((await put(`${body.url}A`, bytes)).status, 403)
  const clock = Date.now
  t.teardown(() => {
    Date.now = clock
  })
  Date.now = () => clock() + 3_600_001
  t.equal((await put(body.url, bytes)).status, 403)
})

t.test('too large, or larger than the room that is left, is refused before a byte is sent', async t => {
  const bytes = Buffer.from('hello\n')
  t.match(await announce(bytes, { sizeBytes: MAX + 1 }), { status: 413, body: { code: 'file_too_large' } })
  const before = await used()
  const answers = await Promise.all(Array.from({ length: 8 }, () => announce(bytes, { sizeBytes: 300_000 })))
  const kept = answers.filter(({ status }) => status === 201)
  t.equal(kept.length, Math.floor((QUOTA - before) / 300_000))
  t.match(answers.find(({ status }) => status === 409)?.body, { code: 'storage_quota_exceeded' })
  for (const { body } of kept) t.equal((await call(app, `DELETE /uploads/${body.id}`, { as: member })).status, 204)
  t.equal(await used(), before, 'given up, their room is free at once')
})

t.test('what is never completed expires: its room is free again and its bytes are collected', async t => {
  const before = await used()
  const bytes = Buffer.from('never completed')
  const { body } = await announce(bytes)
  await put(body.url, bytes)
  const done = await announce(bytes)
  await put(done.body.url, bytes)
  await complete(done.body.id)
  t.same([...(await app.storedKeys.kept([body.id]))], [body.id], 'until then its bytes are no orphan')
  await sql(`update uploads set expires_at = now() - interval '1 second' where id = any($1)`, [[body.id, done.body.id]])
  await sql(`insert into jobs.job (name, data) values ('uploads.expire', '{"payload":{}}')`)
  await eventually(
    async () => (await call(app, `GET /uploads/${body.id}`, { as: member })).status === 404,
    'it expires',
  )
  t.equal(await used(), before + bytes.length)
  t.same(await sql('select type from events where target_id = $1 order by id', [body.id]), [
    { type: 'upload.created' },
    { type: 'upload.expired' },
  ])
  t.same([...(await app.storedKeys.kept([body.id, done.body.id]))], [done.body.id])
  t.equal((await call(app, `GET /files/${done.body.id}`, { as: member })).status, 200, 'a completed one keeps its file')
})
