import { createHash, randomBytes } from 'node:crypto'
import { readdir } from 'node:fs/promises'
import { connect } from 'node:net'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { createOrganization } from '../../helpers/actors.ts'
import { anotherNode, listen, testApp } from '../../helpers/app.ts'
import { call } from '../../helpers/call.ts'
import { eventually } from '../../helpers/mail.ts'
import { multipart } from '../../helpers/multipart.ts'

const MAX = 200_000
const test = await testApp(t, { files: { maxBytes: MAX, directMaxBytes: MAX, quotaBytes: 10 * MAX } })
const { app, sql, config } = test
const organization = await createOrganization(test)
const { member } = organization

const upload = (part: Parameters<typeof multipart>[0], { id = organization.id, as = member, on = app } = {}) =>
  call(on, `POST /organizations/${id}/files`, { as, ...multipart(part) })
/** The names of all stored files, or of those in one folder. */
async function stored(folder = ''): Promise<string[]> {
  const path = join(config.dataDirectory, 'files', folder)
  const entries = await readdir(path, { recursive: true, withFileTypes: true }).catch(() => [])
  return entries.filter(entry => entry.isFile()).map(({ name }) => name)
}
/** Of the writes that are not complete. */
const incomplete = () => stored('incomplete')
const usageOf = async (id: string): Promise<number> =>
  Number((await sql('select bytes from file_usage where organization_id = $1', [id]))[0]?.bytes ?? 0)

/** Does `work`; checks that it leaves no byte, no row and no used room. */
async function leavesNothing(t: Test, work: () => Promise<unknown>) {
  const state = async () => [(await stored()).sort(), await usageOf(organization.id), await sql('select id from files')]
  const before = await state()
  await work()
  t.same(await state(), before, 'nothing is left')
}

t.test('what is uploaded is stored byte by byte, measured and recorded', async t => {
  const content = randomBytes(150_000)
  const { status, body, headers } = await upload({ content, filename: 'data.bin' })
  t.equal(status, 201)
  t.equal(headers.location, `/api/v1/files/${body.id}`)
  t.match(body, {
    name: 'data.bin',
    type: 'application/octet-stream',
    sizeBytes: content.length,
    sha256: createHash('sha256').update(content).digest('hex'),
    organizationId: organization.id,
    createdBy: member.id,
  })
  t.same((await call(app, `GET /files/${body.id}`, { as: member })).body, body)
  t.equal(await usageOf(organization.id), content.length)
  t.same(await sql('select type from events where target_id = $1', [body.id]), [{ type: 'file.created' }])
  t.ok((await stored()).includes(body.id))
  await upload({ content: '' })
})

t.test('a file of the most bytes is taken, one byte more is 413 and leaves nothing', async t => {
  t.equal((await upload({ content: randomBytes(MAX) })).status, 201)
  await leavesNothing(t, async () => {
    const answer = await upload({ content: randomBytes(MAX + 1) })
    t.match(answer, { status: 413, body: { code: 'file_too_large' } })
  })
})

t.test('the type is that of the bytes, whatever the client and the name say', async t => {
  const png = Buffer.from(
    'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
    'base64',
  )
  const cases: [string | Buffer, string][] = [
    [png, 'image/png'],
    ['<script>alert(1)</script>', 'text/plain'],
    ['<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>', 'text/plain'],
    ['<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"/>', 'text/plain'],
    ['%PDF-1.7\n', 'application/pdf'],
    [Buffer.from([0, 1, 2, 3]), 'application/octet-stream'],
    ['€'.repeat(5000), 'text/plain'],
    ['', 'text/plain'],
  ]
  for (const [content, type] of cases)
    for (const lie of ['text/html', 'image/svg+xml', 'image/png'])
      t.equal(
        (await upload({ content, type: lie, filename: 'page.html' })).body.type,
        type,
        `${type} said to be ${lie}`,
      )
})

t.test('names are data: they come back as sent and are no path', async t => {
  const names = [
    '../../../etc/passwd',
    '..\\..\\win.ini',
    '/abs',
    '\u202egpj.exe',
    '日本語 👩‍👩‍👧.txt',
    '.',
    '..',
    ' ',
    "a'; drop table files",
    'CON',
  ]
  const before = await readdir(config.dataDirectory)
  for (const filename of names) {
    const { body } = await upload({ filename })
    t.equal(body.name, filename)
    t.ok((await stored()).includes(body.id), 'stored under its id')
  }
  t.same(await readdir(config.dataDirectory), before)
  t.equal((await upload({ filename: 'é'.repeat(300) })).body.name, 'é'.repeat(255), 'cut, and in NFC')
})

t.test('a body that is no upload is refused with its reason and leaves nothing', async t => {
  const path = `POST /organizations/${organization.id}/files`
  const { body, headers } = multipart()
  const at = headers['content-type'].split('boundary=')[1]
  const field = `--${at}\r\nContent-Disposition: form-data; name="note"\r\n\r\nx\r\n`
  const end = `--${at}--\r\n`
  const whole = body.toString()
  const bodies: [string, string, number][] = [
    ['no part', end, 422],
    ['a field alone', field + end, 422],
    ['a field before the file', field + whole, 422],
    ['two files', whole.replace(end, '') + whole, 422],
    ['a file after the file', `${whole.replace(end, '')}${field}${end}`, 422],
    ['another name', whole.replace('name="file"', 'name="other"'), 422],
    ['cut off in the file', whole.slice(0, -20), 400],
    ['cut off in the header', whole.slice(0, 30), 400],
    ['no multipart', 'hello', 400],
    ['empty', '', 422],
  ]
  await leavesNothing(t, async () => {
    for (const [what, text, status] of bodies) {
      const answer = await call(app, path, { as: member, body: text, headers })
      t.equal(answer.status, status, `${what}: ${answer.text}`)
    }
    const none = { 'content-type': 'multipart/form-data' }
    t.ok([400, 415].includes((await call(app, path, { as: member, body, headers: none })).status), 'no boundary')
    t.equal((await call(app, path, { as: member, body: { file: 'x' } })).status, 415, 'JSON')
  })
})

t.test('an upload with an Idempotency-Key happens once, and its bytes are stored once', async t => {
  const send = (content: string, key: string) => {
    const { body, headers } = multipart({ content })
    const request = `POST /organizations/${organization.id}/files`
    return call(app, request, { as: member, body, headers: { ...headers, 'idempotency-key': key } })
  }
  const first = await send('once', 'upload-1')
  t.equal(first.status, 201)
  await leavesNothing(t, async () => {
    const again = await send('once', 'upload-1')
    t.match(again, { status: 201, headers: { 'idempotent-replayed': 'true', location: first.headers.location } })
    t.same(again.body, first.body)
    t.match(await send('other', 'upload-1'), { status: 422, body: { code: 'idempotency_key_reused' } })
  })
  t.equal((await call(app, `GET /files/${first.body.id}/content`, { as: member })).text, 'once')
})

t.test('only the upload reads multipart', async t => {
  const { body: file } = await upload({})
  for (const request of [`DELETE /files/${file.id}`, `POST /organizations/${organization.id}/posts`])
    t.equal((await call(app, request, { as: member, ...multipart() })).status, 415, request)
})

t.test('uploads at the same time never pass the quota, on two nodes', async t => {
  const other = await createOrganization(test)
  const node = await anotherNode(t, test)
  const at = { id: other.id, as: other.member }
  const answers = await Promise.all(
    Array.from({ length: 16 }, (_, n) => upload({ content: randomBytes(MAX) }, { ...at, on: n % 2 ? app : node })),
  )
  t.same(answers.map(({ status }) => status).sort(), [...new Array(10).fill(201), ...new Array(6).fill(409)])
  t.match(answers.find(({ status }) => status === 409)?.body, { code: 'storage_quota_exceeded' })
  t.equal(await usageOf(other.id), 10 * MAX)
  const kept = answers.filter(({ status }) => status === 201).map(({ body }) => body.id)
  const rows = await sql('select id from files where organization_id = $1', [other.id])
  t.same(rows.map(({ id }: { id: string }) => id).sort(), kept.toSorted())
  const names = await stored()
  t.ok(kept.every(id => names.includes(id)))
  t.same(await incomplete(), [])
  t.equal((await call(app, `DELETE /files/${kept[0]}`, { as: other.member })).status, 204)
  t.equal((await upload({ content: randomBytes(MAX) }, at)).status, 201, 'a deleted file frees its room at once')
})

t.test('a client that leaves in the middle of a file leaves nothing', async t => {
  const base = new URL(await listen(app))
  await leavesNothing(t, async () => {
    const { body, headers } = multipart({ content: randomBytes(100_000) })
    const socket = connect(Number(base.port), base.hostname)
    socket.on('error', () => {})
    const head = [
      `POST /api/v1/organizations/${organization.id}/files HTTP/1.1`,
      'Host: localhost',
      `Authorization: ${member.headers.authorization}`,
      `Content-Type: ${headers['content-type']}`,
      `Content-Length: ${body.length}`,
    ]
    socket.write(`${head.join('\r\n')}\r\n\r\n`)
    socket.write(body.subarray(0, 70_000))
    await eventually(async () => (await incomplete()).length === 1, 'the file has begun')
    socket.destroy()
    await eventually(async () => (await incomplete()).length === 0, 'what had come is removed')
  })
})
