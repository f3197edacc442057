import { access, mkdir, utimes, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import t from 'tap'
import { newId } from '../../../src/lib/ids.ts'
import { createOrganization } from '../../helpers/actors.ts'
import { testApp } from '../../helpers/app.ts'
import { call } from '../../helpers/call.ts'
import { eventually } from '../../helpers/mail.ts'
import { multipart } from '../../helpers/multipart.ts'

const test = await testApp(t, { works: true })
const { app, sql, config } = test
const { id: organizationId, owner, member, viewer, outsider } = await createOrganization(test)
const upload = async (part: Parameters<typeof multipart>[0] = {}) =>
  (await call(app, `POST /organizations/${organizationId}/files`, { as: member, ...multipart(part) })).body
const pathOf = (id: string) => join(config.dataDirectory, 'files', id.slice(-2), id)
const isStored = (id: string) =>
  access(pathOf(id)).then(
    () => true,
    () => false,
  )
const download = (id: string, headers: Record<string, string> = {}) =>
  call(app, `GET /files/${id}/content`, { as: viewer, headers })

t.test('a download is an attachment that no browser runs or guesses about', async t => {
  const { id, sha256 } = await upload({ content: '0123456789', filename: 'räport "1".html', type: 'text/html' })
  const { status, text, headers } = await download(id)
  t.same([status, text], [200, '0123456789'])
  t.match(headers, {
    'content-type': 'text/plain',
    'content-length': '10',
    'content-disposition': `attachment; filename="r_port _1_.html"; filename*=UTF-8''r%C3%A4port%20%221%22.html`,
    'x-content-type-options': 'nosniff',
    'content-security-policy': /^sandbox; default-src 'none'/,
    'accept-ranges': 'bytes',
    etag: `"${sha256}"`,
    'repr-digest': `sha-256=:${Buffer.from(sha256, 'hex').toString('base64')}:`,
  })
  t.equal((await call(app, `GET /files/${id}/content`, { as: outsider })).status, 404)
})

t.test('ranges are answered as RFC 9110 has it', async t => {
  const { id, sha256 } = await upload({ content: '0123456789' })
  const cases: [Record<string, string>, number, string, string?][] = [
    [{ range: 'bytes=2-4' }, 206, '234', 'bytes 2-4/10'],
    [{ range: 'bytes=-2' }, 206, '89', 'bytes 8-9/10'],
    [{ range: 'bytes=8-99' }, 206, '89', 'bytes 8-9/10'],
    [{ range: 'bytes=0-1,4-5' }, 200, '0123456789'],
    [{ range: 'bytes=2-4', 'if-range': `"${sha256}"` }, 206, '234', 'bytes 2-4/10'],
    [{ range: 'bytes=2-4', 'if-range': '"other"' }, 200, '0123456789'],
    [{ range: 'bytes=2-4', 'if-range': 'Wed, 21 Oct 2099 07:28:00 GMT' }, 200, '0123456789'],
    [{ 'if-none-match': `"${sha256}"` }, 304, ''],
  ]
  for (const [headers, status, text, range] of cases) {
    const answer = await download(id, headers)
    t.same(
      [answer.status, answer.text, answer.headers['content-range']],
      [status, text, range],
      JSON.stringify(headers),
    )
  }
  const past = await download(id, { range: 'bytes=10-' })
  t.match(past, { status: 416, headers: { 'content-range': 'bytes */10' }, body: { code: 'range_not_satisfiable' } })
  const { id: empty } = await upload({ content: '' })
  t.same([(await download(empty)).status, (await download(empty, { range: 'bytes=0-' })).status], [200, 416])
})

/** The path and query of a URL that the service signed. */
async function signed(id: string): Promise<string> {
  const { body } = await call(app, `POST /files/${id}/url`, { as: viewer })
  const { pathname, search } = new URL(body.url)
  return `${pathname}${search}`
}

t.test('a signed URL gives anybody the file, with ranges, until it expires', async t => {
  const { id } = await upload({ content: '0123456789', filename: 'räport.html' })
  const { status, body, headers } = await call(app, `POST /files/${id}/url`, { as: viewer })
  t.same([status, headers['cache-control']], [200, 'no-store'])
  t.same(
    await sql(`select actor_id as "by" from events where type = 'file.url_signed' and target_id = $1`, [id]),
    [{ by: viewer.id }],
    'the log knows who gave the file away',
  )
  t.ok(body.url.startsWith(`${config.publicUrl}/storage/${id}?`), body.url)
  const leftMs = Date.parse(body.expiresAt) - Date.now()
  t.ok(leftMs > 0 && leftMs <= 600_000, 'for ten minutes at most')
  const path = await signed(id)
  const whole = await call(app, `GET ${path}`)
  t.same([whole.status, whole.text], [200, '0123456789'])
  t.match(whole.headers, {
    'content-type': 'text/plain',
    'content-disposition': /^attachment; .*r%C3%A4port\.html$/,
    'x-content-type-options': 'nosniff',
    'content-security-policy': /^sandbox/,
    'cache-control': 'private, no-cache',
  })
  const part = await call(app, `GET ${path}`, { headers: { range: 'bytes=2-3' } })
  t.same([part.status, part.text], [206, '23'])
  t.same((await call(app, `HEAD ${path}`)).headers['content-length'], '10')

  const clock = Date.now
  t.teardown(() => {
    Date.now = clock
  })
  Date.now = () => clock() + 600_001
  t.match(await call(app, `GET ${path}`), { status: 403, body: { code: 'signed_url_not_valid' } })
})

t.test('a signed URL is good for its file, its method and as it was made', async t => {
  const [{ id }, other] = [await upload(), await upload()]
  const path = await signed(id)
  const grant = new URLSearchParams(path.split('?')[1]).get('grant') as string
  const claims = JSON.parse(Buffer.from(grant.slice(0, -43), 'base64url').toString())
  const forged = Buffer.from(JSON.stringify({ ...claims, key: other.id })).toString('base64url') + grant.slice(-43)
  const refused: [string, number][] = [
    [`GET /storage/${other.id}?grant=${grant}`, 403],
    [`GET /storage/${other.id}?grant=${forged}`, 403],
    [`GET /storage/${id}?grant=${grant.slice(0, -1)}${grant.endsWith('A') ? 'B' : 'A'}`, 403],
    [`GET /storage/${id}?grant=${grant}A`, 403],
    [`GET /storage/${id}?grant=`, 403],
    [`GET /storage/${id}`, 422],
    [`DELETE ${path}`, 405],
    [`GET ${path}`, 200],
  ]
  for (const [request, status] of refused) t.equal((await call(app, request)).status, status, request)
})

t.test('only who may read a file signs a URL, and a deleted file has none that works', async t => {
  const { id } = await upload()
  t.equal((await call(app, `POST /files/${id}/url`, { as: outsider })).status, 404)
  t.equal((await call(app, `POST /files/${id}/url`)).status, 401)
  const path = await signed(id)
  await call(app, `DELETE /files/${id}`, { as: member })
  t.equal((await call(app, `POST /files/${id}/url`, { as: viewer })).status, 404)
  await eventually(async () => (await call(app, `GET ${path}`)).status === 404, 'the URL leads nowhere')
})

t.test('a deleted file is gone at once, and its bytes after it', async t => {
  const { id } = await upload()
  t.equal((await call(app, `DELETE /files/${id}`, { as: viewer })).status, 403)
  t.equal((await call(app, `DELETE /files/${id}`, { as: outsider })).status, 404)
  t.ok(await isStored(id))
  t.equal((await call(app, `DELETE /files/${id}`, { as: member })).status, 204)
  t.equal((await download(id)).status, 404)
  await eventually(async () => !(await isStored(id)), 'the bytes are removed')
})

t.test('bytes without a row are removed when they are old, and no others', async t => {
  const kept = await upload()
  const [orphan, young] = [newId(), newId()]
  const paths = [pathOf(orphan), join(config.dataDirectory, 'files', 'incomplete', newId()), pathOf(young)]
  for (const path of paths) {
    await mkdir(dirname(path), { recursive: true })
    await writeFile(path, 'x')
  }
  const old = new Date(Date.now() - 3_600_000)
  for (const path of [pathOf(kept.id), ...paths.slice(0, 2)]) await utimes(path, old, old)
  await sql(`insert into jobs.job (name, data) values ('files.collect', '{"payload":{}}')`)
  await eventually(async () => !(await isStored(orphan)), 'the orphan is removed')
  await eventually(
    async () => (await sql(`select from jobs.job where name = 'files.collect' and state < 'completed'`)).length === 0,
    'the job ends',
  )
  t.notOk(
    await access(paths[1] as string).then(
      () => true,
      () => false,
    ),
    'what a dead process began is removed',
  )
  t.same([await isStored(kept.id), await isStored(young)], [true, true])
  t.equal((await download(kept.id)).status, 200)
})

t.test('the files of a deleted organization go with it', async t => {
  const { id } = await upload()
  t.equal((await call(app, `DELETE /organizations/${organizationId}`, { as: owner })).status, 202)
  await eventually(
    async () => (await sql('select from files where organization_id = $1', [organizationId])).length === 0,
    'the rows are erased',
  )
  t.same(await sql('select from file_usage where organization_id = $1', [organizationId]), [])
  t.ok(await isStored(id), 'their bytes wait for the collecting job')
})
