import { createHash } from 'node:crypto'
import t from 'tap'
import { createOrganization } from '../../helpers/actors.ts'
import { testApp } from '../../helpers/app.ts'
import { call } from '../../helpers/call.ts'
import { startS3 } from '../../helpers/s3.ts'

const { s3, stop } = await startS3(t)
const test = await testApp(t, { s3 })
const { app } = test
const { id: organizationId, member } = await createOrganization(test)

const announce = (bytes: Buffer) => {
  const sha256 = createHash('sha256').update(bytes).digest('hex')
  const body = { name: 'data.txt', sizeBytes: bytes.length, sha256 }
  return call(app, `POST /organizations/${organizationId}/uploads`, { as: member, body })
}
const complete = (id: string) => call(app, `POST /uploads/${id}/complete`, { as: member })

t.test('the bytes go to the store itself, whose URL binds their length and checksum', async t => {
  const bytes = Buffer.from('0123456789')
  const { body } = await announce(bytes)
  const { origin, pathname, searchParams } = new URL(body.url)
  t.same([origin, pathname], [s3.endpoint, `/${s3.bucket}/${body.id}`])
  t.same(searchParams.get('X-Amz-SignedHeaders')?.split(';'), ['content-length', 'host', 'x-amz-checksum-sha256'])
  t.same(body.headers, {
    'x-amz-checksum-sha256': createHash('sha256').update(bytes).digest('base64'),
  })
  t.match(await complete(body.id), { status: 409, body: { code: 'upload_incomplete' } })
  t.equal((await fetch(body.url, { method: 'PUT', body: bytes, headers: body.headers })).status, 200)
  t.match(await complete(body.id), { status: 200, body: { sizeBytes: 10, type: 'text/plain' } })
  t.equal((await call(app, `GET /files/${body.id}/content`, { as: member })).text, '0123456789')
})

t.test('a store that takes other bytes makes no file of them', async t => {
  const { body } = await announce(Buffer.from('0123456789'))
  t.equal((await fetch(body.url, { method: 'PUT', body: 'longer than that' })).status, 200, 'this one compares nothing')
  t.match(await complete(body.id), { status: 422, body: { code: 'upload_differs' } })
})

t.test('while the store is away, completing is a 503 and may be repeated', async t => {
  const { body } = await announce(Buffer.from('0123456789'))
  await stop()
  t.match(await complete(body.id), { status: 503, body: { code: 'storage_unavailable' } })
  t.equal((await call(app, `GET /uploads/${body.id}`, { as: member })).body.status, 'pending')
})
