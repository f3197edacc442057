import t, { type Test } from 'tap'
import { createOrganization } from '../../helpers/actors.ts'
import { anotherNode, listen, testApp } from '../../helpers/app.ts'
import { type Credentials, call } from '../../helpers/call.ts'
import { openSocket, type RawSocket } from '../../helpers/live.ts'
import { eventually } from '../../helpers/mail.ts'
import { messagesTold } from './told.ts'

const test = await testApp(t)
const { app, sql } = test
const other = await anotherNode(t, test)
const [base, elsewhere] = [await listen(app), await listen(other)]
const organization = await createOrganization(test)
const { id: organizationId, owner, admin, member, viewer, outsider } = organization

const newRoom = async (...others: Credentials[]): Promise<string> => {
  const { body } = await call(app, `POST /organizations/${organizationId}/rooms`, {
    as: member,
    body: { name: 'Room' },
  })
  for (const as of others) await call(app, `POST /rooms/${body.id}/join`, { as })
  return body.id
}
const open = (t: Test, as: Credentials, at = base) => openSocket(t, { app, base: at, as })
async function enter(t: Test, room: string, as: Credentials, at = base): Promise<RawSocket> {
  const socket = await open(t, as, at)
  await socket.subscribe(`room:${room}`)
  return socket
}
/** Those whom a socket was told to be present and not absent again. */
function presentTo({ messages }: RawSocket): string[] {
  const present = new Set<string>()
  for (const message of messages) {
    if (message.type !== 'presence') continue
    for (const id of message.present) present.add(id)
    for (const id of message.absent) present.delete(id)
  }
  return [...present].toSorted()
}
const sees = (socket: RawSocket, ...users: { id: string }[]) => {
  const expected = users.map(({ id }) => id).toSorted()
  return eventually(async () => String(presentTo(socket)) === String(expected), 'who is present')
}

t.test('who is in a room is known on every node, once for several sockets', async t => {
  const room = await newRoom()
  const first = await enter(t, room, member)
  await sees(first, member)
  const second = await enter(t, room, admin, elsewhere)
  for (const socket of [first, second]) await sees(socket, member, admin)
  const again = await enter(t, room, admin)
  await sees(again, member, admin)
  second.ws.terminate()
  const third = await enter(t, room, owner, elsewhere)
  await sees(third, member, admin, owner)
  again.send({ type: 'unsubscribe', topic: `room:${room}` })
  for (const socket of [first, third]) await sees(socket, member, owner)
  t.same(await sql(`select from events where data ->> 'roomId' = $1 and type <> 'room_member.joined'`, [room]), [])
})

t.test('typing is told to the others in the room, and to nobody else', async t => {
  const [room, another] = [await newRoom(), await newRoom()]
  const [writer, near, far, outside] = [
    await enter(t, room, member),
    await enter(t, room, admin),
    await enter(t, room, owner, elsewhere),
    await enter(t, another, admin),
  ]
  for (let n = 0; n < 5; n++) writer.send({ type: 'typing', topic: `room:${room}` })
  for (const socket of [near, far])
    t.match(await socket.got('user_typing'), { userId: member.id, topic: `room:${room}` })
  const counts = [writer, near, far, outside].map(
    ({ messages }) => messages.filter(({ type }) => type === 'user_typing').length,
  )
  t.same(counts, [0, 1, 1, 0])
})

t.test('a message by the socket has the checks, the form and the errors of the route', async t => {
  const room = await newRoom()
  const topic = `room:${room}`
  const socket = await enter(t, room, member)
  const refused = async (message: object, as = socket) => {
    const before = as.messages.filter(({ type }) => type === 'error').length
    as.send({ type: 'post', topic, clientId: 'x', ...message })
    return as.got('error', before + 1)
  }
  t.match(await refused({ body: '' }), { code: 'validation_failed', topic, clientId: 'x' })
  t.match(await refused({ body: ' \u2800' }), { code: 'validation_failed' })
  t.match(await refused({ body: 'x'.repeat(4_001) }), { code: 'validation_failed' })
  t.match(await refused({ body: 'a\u0000b' }), { code: 'validation_failed' })
  t.match(await refused({ body: 'x', clientId: 'ä' }), { code: 'validation_failed' })
  t.match(await refused({ body: 'x', replyToId: organizationId }), { code: 'validation_failed' })
  t.match(await refused({ body: 'x', topic: `room:${organizationId}` }), { code: 'not_subscribed' })
  const project = await call(app, `POST /organizations/${organizationId}/projects`, { as: member, body: { name: 'P' } })
  await socket.subscribe(`project:${project.body.id}`)
  t.match(await refused({ body: 'x', topic: `project:${project.body.id}` }), { code: 'not_subscribed' })
  t.match(await refused({ body: 'x' }, await enter(t, room, viewer)), { code: 'forbidden' })
  t.match(await refused({ body: 'x' }, await enter(t, room, admin)), { code: 'not_in_room' })
  const stranger = await open(t, outsider)
  stranger.send({ type: 'subscribe', topic })
  t.match(await stranger.got('error'), { code: 'not_found' })
  t.match(await refused({ body: 'x' }, stranger), { code: 'not_subscribed' })
  const text = '💬'.repeat(4_000)
  socket.send({ type: 'post', topic, clientId: 'long', body: text })
  t.match(await socket.got('posted'), { clientId: 'long', sequence: 1 })
  socket.send({ type: 'post', topic, clientId: 'composed', body: 'e\u0301' })
  await socket.got('posted', 2)
  const { body } = await call(app, `GET /rooms/${room}/messages?sort=sequence`, { as: viewer })
  t.same(
    body.data.map((message: { body: string }) => message.body),
    [text, 'é'],
  )
  t.equal(socket.closed, null)
})

t.test('who leaves the organization or signs out writes nothing more', async t => {
  const gone = await createOrganization(test)
  const { body } = await call(app, `POST /organizations/${gone.id}/rooms`, { as: gone.admin, body: { name: 'Room' } })
  const topic = `room:${body.id}`
  await call(app, `POST /rooms/${body.id}/join`, { as: gone.member })
  const [removed, left] = [await open(t, gone.member), await open(t, gone.admin)]
  for (const socket of [removed, left]) await socket.subscribe(topic)
  await call(app, `DELETE /organizations/${gone.id}/members/${gone.member.id}`, { as: gone.owner })
  removed.send({ type: 'post', topic, clientId: 'a', body: 'too late' })
  await call(app, 'POST /auth/logout', { as: gone.admin })
  await eventually(async () => app.revocations.has(gone.admin.sessionId), 'the end is known')
  left.send({ type: 'post', topic, clientId: 'b', body: 'too late' })
  for (const socket of [removed, left]) t.ok((await socket.closesWithin(30_000)) < 30_000)
  t.same(await sql('select body from messages where room_id = $1', [body.id]), [])
})

t.test('a client that comes back on another node gets exactly the messages that it missed', async t => {
  const room = await newRoom(admin)
  const topic = `room:${room}`
  const write = async (body: string) =>
    (await call(app, `POST /rooms/${room}/messages`, { as: admin, body: { body } })).body.id
  const before = await enter(t, room, member)
  const seen = [await write('one'), await write('two')]
  t.same(await messagesTold(before, seen.length), seen)
  before.ws.terminate()
  const missed = [await write('three'), await write('four')]
  const after = await open(t, member, elsewhere)
  await after.subscribe(topic, before.cursorOf(topic))
  missed.push(await write('five'))
  t.same(await messagesTold(after, missed.length), missed)
})
