import t, { type Test } from 'tap'
import { createKey, createOrganization } from '../../helpers/actors.ts'
import { anotherNode, listen, testApp } from '../../helpers/app.ts'
import { type Credentials, call } from '../../helpers/call.ts'
import { openSocket } from '../../helpers/live.ts'
import { messagesTold } from './told.ts'

const WRITERS = 32
const KINDS = 20

const test = await testApp(t)
const { app, sql } = test
const other = await anotherNode(t, test)
const [base, elsewhere] = [await listen(app), await listen(other)]
const organization = await createOrganization(test)
const { id: organizationId, owner, admin, member, viewer, outsider } = organization

const newRoom = async (as: Credentials = member): Promise<string> =>
  (await call(app, `POST /organizations/${organizationId}/rooms`, { as, body: { name: 'Room' } })).body.id
const join = (room: string, as: Credentials) => call(app, `POST /rooms/${room}/join`, { as })
const write = (room: string, as: Credentials, body: object, at = app) =>
  call(at, `POST /rooms/${room}/messages`, { as, body })
const say = async (room: string, as: Credentials, body = 'Hello') => (await write(room, as, { body })).body
const history = async (room: string) =>
  (await call(app, `GET /rooms/${room}/messages?sort=sequence&limit=100`, { as: viewer })).body.data
const mine = async (as: Credentials, room: string) =>
  (await call(app, 'GET /users/me/rooms?limit=100', { as })).body.data.find(
    ({ roomId }: { roomId: string }) => roomId === room,
  )
const open = (t: Test, as: Credentials, at = base) => openSocket(t, { app, base: at, as })

t.test('who creates a room is in it; others join, and only they write', async t => {
  const room = await newRoom()
  t.match((await write(room, admin, { body: 'Hello' })).body, { status: 409, code: 'not_in_room' })
  t.equal((await write(room, viewer, { body: 'Hello' })).status, 403, 'a viewer writes nothing')
  t.match((await join(room, admin)).body, { roomId: room, userId: admin.id, lastReadSequence: 0 })
  t.match(await join(room, admin), { status: 200 }, 'again')
  t.match(await say(room, admin), { sequence: 1, authorId: admin.id, body: 'Hello', reactions: [], replyToId: null })
  const { body } = await call(app, `GET /rooms/${room}/members`, { as: viewer })
  t.same(
    body.data.map(({ userId }: { userId: string }) => userId),
    [member.id, admin.id],
  )
  t.equal((await call(app, `POST /rooms/${room}/leave`, { as: admin })).status, 204)
  t.match((await call(app, `POST /rooms/${room}/leave`, { as: admin })).body, { status: 409, code: 'not_in_room' })
  t.equal((await write(room, admin, { body: 'Hello' })).status, 409)
  const events = await sql(`select type from events where data ->> 'roomId' = $1 order by position, seq`, [room])
  t.same(
    events.map((event: { type: string }) => event.type),
    ['room_member.joined', 'room_member.joined', 'message.created', 'room_member.left'],
  )
})

t.test('who leaves the organization leaves its rooms', async t => {
  const gone = await createOrganization(test)
  const { body } = await call(app, `POST /organizations/${gone.id}/rooms`, { as: gone.member, body: { name: 'Room' } })
  await call(app, `DELETE /organizations/${gone.id}/members/${gone.member.id}`, { as: gone.owner })
  t.same(await sql('select from room_members where room_id = $1', [body.id]), [])
  t.same((await call(app, 'GET /users/me/rooms', { as: gone.member })).body.data, [])
})

t.test('a room counts what others have written since the read marker, which only moves forward', async t => {
  const room = await newRoom()
  await say(room, member, 'before')
  await join(room, admin)
  t.match(await mine(admin, room), { lastSequence: 1, lastReadSequence: 1, unreadCount: 0 }, 'from the joining on')
  for (const body of ['one', 'two']) await say(room, member, body)
  await say(room, admin, 'mine')
  t.match(await mine(admin, room), { lastSequence: 4, lastReadSequence: 1, unreadCount: 2 })
  const mark = async (sequence: number, as = admin) =>
    (await call(app, `POST /rooms/${room}/read`, { as, body: { sequence } })).body
  t.match(await mark(2), { lastReadSequence: 2 })
  t.match(await mine(admin, room), { unreadCount: 1 })
  t.match(await mark(1), { lastReadSequence: 2 }, 'not back')
  t.match(await mark(Number.MAX_SAFE_INTEGER), { lastReadSequence: 4 }, 'not beyond the newest')
  t.match(await mine(admin, room), { unreadCount: 0 })
  t.match(await mark(1, viewer), { status: 409, code: 'not_in_room' })
  for (let n = 0; n < 3; n++) await call(app, `DELETE /messages/${(await say(room, member)).id}`, { as: member })
  t.match(await mine(admin, room), { lastSequence: 7, unreadCount: 0 }, 'what is deleted is not unread')
})

t.test('a client id names one message, by either way, also sent at the same moment', async t => {
  const room = await newRoom()
  await join(room, admin)
  const message = { body: 'once', clientId: 'a-1' }
  const answers = await Promise.all(
    Array.from({ length: 10 }, (_, n) => write(room, member, message, n % 2 ? app : other)),
  )
  t.same(new Set(answers.map(({ status }) => status)), new Set([201]))
  t.equal(new Set(answers.map(({ body }) => body.id)).size, 1)
  const socket = await open(t, member, elsewhere)
  await socket.subscribe(`room:${room}`)
  socket.send({ type: 'post', topic: `room:${room}`, ...message })
  t.match(await socket.got('posted'), { clientId: 'a-1', id: answers[0]?.body.id, sequence: 1 })
  t.equal((await history(room)).length, 1)
  t.same(
    await sql(`select count(*)::int from events where type = 'message.created' and data ->> 'roomId' = $1`, [room]),
    [{ count: 1 }],
  )
  for (const [as, changed] of [
    [member, { ...message, body: 'twice' }],
    [admin, message],
  ] as const)
    t.match((await write(room, as, changed)).body, { status: 422, code: 'client_id_reused' })
  await call(app, `PATCH /messages/${answers[0]?.body.id}`, { as: member, body: { body: 'edited' } })
  t.match(await write(room, member, message), { status: 201, body: { body: 'edited' } }, 'it is the same message')
  const second = await newRoom()
  t.match(await write(second, member, message), { status: 201, body: { sequence: 1 } }, 'in another room another')
})

t.test('messages have the order of their numbers in the history, in the log and on every node', async t => {
  const room = await newRoom()
  const sockets = [await open(t, member), await open(t, viewer, elsewhere)]
  for (const socket of sockets) await socket.subscribe(`room:${room}`)
  const answers = await Promise.all(
    Array.from({ length: WRITERS }, (_, n) =>
      call(n % 2 ? app : other, `POST /rooms/${room}/messages`, {
        as: member,
        body: { body: `Message ${n}` },
        ...(n % 3 ? {} : { headers: { 'idempotency-key': `${room}-${n}` } }),
      }),
    ),
  )
  t.same(new Set(answers.map(({ status }) => status)), new Set([201]))
  const stored = (await history(room)).map(({ id }: { id: string }) => id)
  t.same(
    (await history(room)).map(({ sequence }: { sequence: number }) => sequence),
    Array.from({ length: WRITERS }, (_, n) => n + 1),
  )
  for (const socket of sockets) t.same(await messagesTold(socket, WRITERS), stored)
})

t.test('a reply names a message of the same room, which may be deleted later', async t => {
  const [room, elsewhere] = [await newRoom(), await newRoom()]
  const [first, foreign] = [await say(room, member), await say(elsewhere, member)]
  t.match((await write(room, member, { body: 'yes', replyToId: foreign.id })).body, {
    status: 422,
    errors: [{ pointer: '#/replyToId' }],
  })
  const { body: reply } = await write(room, member, { body: 'yes', replyToId: first.id, clientId: 'r' })
  t.match(reply, { replyToId: first.id, sequence: 2 }, 'the refused one took no number')
  await call(app, `DELETE /messages/${first.id}`, { as: member })
  t.match(await history(room), [{ id: reply.id, replyToId: null }])
  t.match((await write(room, member, { body: 'yes', replyToId: first.id, clientId: 'r' })).body, { id: reply.id })
})

t.test('a message is edited by its author, and deleted by the author, an admin or a moderator', async t => {
  const room = await newRoom()
  const { id } = await say(room, member)
  const edit = (as: Credentials) => call(app, `PATCH /messages/${id}`, { as, body: { body: 'edited' } })
  for (const as of [owner, admin]) t.match((await edit(as)).body, { status: 403, code: 'not_the_writer' })
  t.equal((await edit(outsider)).status, 404)
  const edited = (await edit(member)).body
  t.match(edited, { body: 'edited', sequence: 1 })
  t.ok(edited.editedAt)
  t.equal((await call(app, `DELETE /messages/${id}`, { as: outsider })).status, 404)
  t.equal((await call(app, `DELETE /messages/${id}`, { as: admin })).status, 204)
  t.match(await say(room, member), { sequence: 2 }, 'a number is not given again')
})

t.test('a program with the scope writes without joining, and reacts to nothing', async t => {
  const room = await newRoom()
  const key = await createKey(test, organizationId, 'rooms:write', 'events:read')
  const message = await say(room, key)
  t.match(message, { authorId: null, sequence: 1 })
  t.equal((await call(app, `POST /messages/${message.id}/react`, { as: key, body: { reaction: '👍' } })).status, 403)
  const socket = await open(t, key)
  await socket.subscribe(`room:${room}`)
  socket.send({ type: 'post', topic: `room:${room}`, clientId: 'k', body: 'by socket' })
  t.match(await socket.got('posted'), { sequence: 2 })
  const reader = await open(t, await createKey(test, organizationId, 'events:read'))
  await reader.subscribe(`room:${room}`)
  reader.send({ type: 'post', topic: `room:${room}`, clientId: 'k', body: 'by socket' })
  t.match(await reader.got('error'), { code: 'forbidden', clientId: 'k' })
})

t.test('reactions are counted, each of a user once, also at the same moment', async t => {
  const room = await newRoom()
  for (const as of [admin, owner]) await join(room, as)
  const { id } = await say(room, member)
  const react = (as: Credentials, reaction: string, verb = 'react') =>
    call(app, `POST /messages/${id}/${verb}`, { as, body: { reaction } })
  await Promise.all([member, admin, owner, member, admin, owner].map(as => react(as, '👍')))
  t.match((await react(admin, '🎉')).body.reactions, [
    { emoji: '👍', count: 3 },
    { emoji: '🎉', count: 1 },
  ])
  t.match((await react(owner, '👍', 'unreact')).body.reactions[0], { emoji: '👍', count: 2 })
  t.match((await react(admin, '🎉', 'unreact')).body.reactions, [{ emoji: '👍', count: 2 }])
  const before = await sql(`select count(*)::int from events where type = 'message.reacted' and target_id = $1`, [id])
  t.same(before, [{ count: 6 }], 'what changes nothing is no event')
  t.match((await react(viewer, '👍')).body, { status: 403 })
  for (let n = 1; n < KINDS; n++) t.equal((await react(member, `${n}`)).status, 200)
  t.match((await react(member, 'more')).body, { status: 409, code: 'too_many_reactions' })
  t.equal((await history(room))[0].reactions.length, KINDS)
})
