import { randomBytes } from 'node:crypto'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import t from 'tap'
import { removeOrphans } from '../../../src/domains/files/service/orphans.ts'
import { newId } from '../../../src/lib/ids.ts'
import { createOrganization } from '../../helpers/actors.ts'
import { testApp } from '../../helpers/app.ts'
import { call } from '../../helpers/call.ts'
import { eventually } from '../../helpers/mail.ts'
import { multipart } from '../../helpers/multipart.ts'
import { startS3 } from '../../helpers/s3.ts'

const { s3, stop } = await startS3(t)
const test = await testApp(t, { s3, works: true })
const { app, sql, config } = test
const { id: organizationId, member, viewer, outsider } = await createOrganization(test)

const send = (part: Parameters<typeof multipart>[0]) =>
  call(app, `POST /organizations/${organizationId}/files`, { as: member, ...multipart(part) })
const upload = async (part: Parameters<typeof multipart>[0] = {}) => (await send(part)).body
const download = (id: string, headers: Record<string, string> = {}) =>
  call(app, `GET /files/${id}/content`, { as: viewer, headers })
const later = () => app.storage.keysBefore(new Date(Date.now() + 60_000))
async function keys(): Promise<string[]> {
  const found = []
  for await (const key of later()) found.push(key)
  return found
}
/** What is left on the local disk. */
const spooled = () =>
  readdirSync(join(config.dataDirectory, 'spool'), { recursive: true, withFileTypes: true }).filter(entry =>
    entry.isFile(),
  )

t.test('an upload is in the bucket and nowhere else, and is read back whole or in part', async t => {
  const content = randomBytes(300_000).toString('base64')
  const { id, sizeBytes } = await upload({ content })
  t.equal(sizeBytes, content.length)
  t.ok((await keys()).includes(id))
  t.same(spooled(), [])
  t.equal((await download(id)).text, content)
  const part = await download(id, { range: 'bytes=10-19' })
  t.match(part, { status: 206, text: content.slice(10, 20), headers: { 'content-range': `bytes 10-19/${sizeBytes}` } })
  t.equal((await download(id, { range: `bytes=${sizeBytes}-` })).status, 416)
  t.equal((await call(app, `GET /files/${id}/content`, { as: outsider })).status, 404)
})

t.test('a signed URL leads to the store itself, for this file and ten minutes', async t => {
  const { id } = await upload({ content: '0123456789', filename: 'räport.txt' })
  const { body } = await call(app, `POST /files/${id}/url`, { as: viewer })
  const { origin, pathname, searchParams } = new URL(body.url)
  t.same([origin, pathname], [s3.endpoint, `/${s3.bucket}/${id}`])
  t.match(searchParams.get('X-Amz-Signature'), /^[0-9a-f]{64}$/)
  const seconds = Number(searchParams.get('X-Amz-Expires'))
  t.ok(seconds > 590 && seconds <= 600, String(seconds))
  const answer = await fetch(body.url)
  t.equal(await answer.text(), '0123456789')
  t.equal(
    answer.headers.get('content-disposition'),
    `attachment; filename="r_port.txt"; filename*=UTF-8''r%C3%A4port.txt`,
  )
})

t.test('what is deleted, or refused, is not in the bucket', async t => {
  const before = (await keys()).length
  const { id } = await upload({ content: 'gone' })
  t.equal((await call(app, `DELETE /files/${id}`, { as: member })).status, 204)
  await eventually(async () => !(await keys()).includes(id), 'its bytes are gone')
  t.equal((await download(id)).status, 404)
  await sql('update file_usage set bytes = $2 where organization_id = $1', [organizationId, config.files.quotaBytes])
  t.match(await send({ content: 'too much' }), { status: 409, body: { code: 'storage_quota_exceeded' } })
  await sql('update file_usage set bytes = 0 where organization_id = $1', [organizationId])
  t.equal((await keys()).length, before)
  t.same(spooled(), [])
})

t.test('bytes that no row names are collected, others are not', async t => {
  const kept = await upload({ content: 'kept' })
  const orphan = newId()
  await app.storage.write(orphan, Readable.from([Buffer.from('orphan')]))
  const storage = { remove: (key: string) => app.storage.remove(key), keysBefore: later }
  await removeOrphans({ storedKeys: app.storedKeys, storage } as never)
  const left = await keys()
  t.ok(left.includes(kept.id))
  t.notOk(left.includes(orphan))
})

t.test('while the store is away it is a 503, nothing is lost or left, and the rest goes on', async t => {
  const { id } = await upload({ content: 'there' })
  await stop()
  const [{ n: before }] = await sql('select count(*)::int as n from files')
  for (const answer of [await download(id), await send({ content: 'lost' })]) {
    t.match(answer, { status: 503, body: { code: 'storage_unavailable' } })
    t.ok(answer.headers['retry-after'])
  }
  t.equal((await call(app, `GET /files/${id}`, { as: viewer })).status, 200)
  t.same(spooled(), [])
  const [{ n: after }] = await sql('select count(*)::int as n from files')
  t.equal(after, before)
})
