import { crc32 } from 'node:zlib'
import sharp from 'sharp'
import t from 'tap'
import { createOrganization, createUser, type TestUser } from '../../helpers/actors.ts'
import { testApp } from '../../helpers/app.ts'
import { call } from '../../helpers/call.ts'
import { eventually } from '../../helpers/mail.ts'
import { multipart } from '../../helpers/multipart.ts'

const test = await testApp(t, { works: true })
const { app, sql } = test
const { member, viewer, outsider } = await createOrganization(test)

const put = (as: TestUser, content: Buffer, headers: Record<string, string> = {}) => {
  const { body, headers: own } = multipart({ content, filename: 'me.jpg', type: 'image/jpeg' })
  return call(app, 'PUT /users/me/avatar', { as, body, headers: { ...own, ...headers } })
}
const mine = async (as: TestUser) => (await call(app, 'GET /users/me/avatar', { as })).body
const settled = (as: TestUser) =>
  eventually(async () => {
    const avatar = await mine(as)
    return avatar.status !== 'processing' && avatar
  }, 'the images are made')
async function image(of: TestUser, as: TestUser, size = 'large'): Promise<Buffer> {
  const answer = await app.inject({ url: `/api/v1/users/${of.id}/avatar?size=${size}`, headers: as.headers })
  if (answer.statusCode !== 200) throw new Error(`${answer.statusCode}`)
  return answer.rawPayload
}

/** An image whose left half is red and whose right half is blue, as it is stored. */
const halves = async (width = 400, height = 200) => {
  const half = { create: { width: width / 2, height, channels: 3 as const, background: 'red' } }
  const red = await sharp(half).png().toBuffer()
  return sharp({ create: { width, height, channels: 3, background: 'blue' } }).composite([
    { input: red, left: 0, top: 0 },
  ])
}

t.test('an image is turned upright, stripped, cut to a square and made in three sizes', async t => {
  const exif = { IFD0: { Copyright: 'canary-of-a-camera' }, IFD3: { GPSLatitude: '51/1 30/1 0/1' } }
  const content = await (await halves()).withExif(exif).withMetadata({ orientation: 6 }).jpeg().toBuffer()
  t.match(await put(member, content), { status: 200, body: { userId: member.id, status: 'processing' } })
  t.match(await settled(member), { status: 'ready' })
  for (const [size, pixels] of [
    ['small', 64],
    ['medium', 128],
    ['large', 512],
  ] as const) {
    const bytes = await image(member, viewer, size)
    const { format, width, height, exif, orientation } = await sharp(bytes).metadata()
    t.match(
      { format, width, height, exif, orientation },
      { format: 'webp', width: pixels, height: pixels, exif: undefined },
    )
    t.notOk(bytes.includes('canary'))
  }
  const { data } = await sharp(await image(member, viewer))
    .raw()
    .toBuffer({ resolveWithObject: true })
  t.ok((data[0] as number) > 200, 'red is on top: what was left is turned upwards')
  const [{ left }] = await sql('select count(*)::int as left from avatars where original_key is not null')
  t.equal(left, 0, 'the original is gone')
})

t.test('who shares no organization with the user sees nothing; moderators see all', async t => {
  await t.rejects(image(member, outsider), /404/)
  await t.rejects(image(viewer, member), /404/, 'who has none has none')
  t.ok(await image(member, await createUser(test, { role: 'moderator' })))
  t.equal((await call(app, `GET /users/${member.id}/avatar`)).status, 401)
})

t.test('what is no image is refused, and what only looks like one fails; the picture before stays', async t => {
  for (const content of ['<svg xmlns="http://www.w3.org/2000/svg"/>', '%PDF-1.7', 'hello'])
    t.match((await put(member, Buffer.from(content))).body, { status: 422, code: 'not_an_image' })
  t.match(await mine(member), { status: 'ready' })
  await put(member, Buffer.from('GIF89a<script>alert(1)</script>'))
  t.match(await settled(member), { status: 'failed' })
  t.ok(await image(member, viewer), 'the images before are still there')
})

t.test('an image that would decode to more than it may is refused by its header', async t => {
  const chunk = (type: string, data: Buffer) => {
    const body = Buffer.concat([Buffer.from(type), data])
    const [length, sum] = [Buffer.alloc(4), Buffer.alloc(4)]
    length.writeUInt32BE(data.length)
    sum.writeUInt32BE(crc32(body))
    return Buffer.concat([length, body, sum])
  }
  const size = Buffer.alloc(13)
  size.writeUInt32BE(60_000, 0)
  size.writeUInt32BE(60_000, 4)
  size.set([8, 2, 0, 0, 0], 8)
  const signature = Buffer.from('\x89PNG\r\n\x1a\n', 'latin1')
  const bomb = Buffer.concat([
    signature,
    chunk('IHDR', size),
    chunk('IDAT', Buffer.alloc(100)),
    chunk('IEND', Buffer.alloc(0)),
  ])
  await put(viewer, bomb)
  t.match(await settled(viewer), { status: 'failed' })
  const large = await put(viewer, Buffer.alloc(10_000_001, 1))
  t.match(large.body, { status: 413, code: 'avatar_too_large' })
})

t.test('of uploads at the same time one stays, with its three images', async t => {
  const user = await createUser(test)
  const content = await (await halves(64, 64)).png().toBuffer()
  const answers = await Promise.all(Array.from({ length: 6 }, () => put(user, content)))
  t.ok(answers.every(({ status }) => status === 200))
  t.match(await settled(user), { status: 'ready' })
  t.equal((await sql('select from avatar_images where user_id = $1', [user.id])).length, 3)
})

t.test('a removed avatar is gone, and its bytes are orphans', async t => {
  const user = await createUser(test)
  await put(user, await (await halves(64, 64)).webp().toBuffer())
  await settled(user)
  const keys = (await sql('select key from avatar_images where user_id = $1', [user.id])).map(
    ({ key }: { key: string }) => key,
  )
  t.equal((await app.storedKeys.kept(keys)).size, 3)
  const etag = String((await call(app, 'GET /users/me/avatar', { as: user })).headers.etag)
  t.equal((await call(app, 'DELETE /users/me/avatar', { as: user, headers: { 'if-match': '"999"' } })).status, 412)
  t.equal((await call(app, 'DELETE /users/me/avatar', { as: user, headers: { 'if-match': etag } })).status, 204)
  t.equal((await call(app, 'DELETE /users/me/avatar', { as: user })).status, 404)
  t.equal((await app.storedKeys.kept(keys)).size, 0)
  await t.rejects(image(user, user), /404/)
})
