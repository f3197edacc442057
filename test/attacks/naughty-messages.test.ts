import t from 'tap'
import { createOrganization } from '../helpers/actors.ts'
import { listen, testApp } from '../helpers/app.ts'
import { call } from '../helpers/call.ts'
import { openSocket } from '../helpers/live.ts'
import { eventually } from '../helpers/mail.ts'
import { NAUGHTY } from './naughty.ts'

/** Below the messages that a socket takes at once. */
const PER_SOCKET = 50

const test = await testApp(t)
const { app } = test
const base = await listen(app)

t.test('a naughty text that is posted by a socket is kept as it is but for its composition, or refused', async t => {
  const { id, member } = await createOrganization(test)
  const room = await call(app, `POST /organizations/${id}/rooms`, { as: member, body: { name: 'Room' } })
  const topic = `room:${room.body.id}`
  const answers = new Map<string, string>()
  for (let at = 0; at < NAUGHTY.length; at += PER_SOCKET) {
    const socket = await openSocket(t, { app, base, as: member })
    await socket.subscribe(topic)
    const texts = NAUGHTY.slice(at, at + PER_SOCKET)
    for (const [n, body] of texts.entries()) socket.send({ type: 'post', topic, clientId: `${at + n}`, body })
    const ended = () => socket.messages.filter(message => message.type === 'posted' || message.type === 'error')
    await eventually(async () => ended().length === texts.length, 'every answer')
    for (const message of ended())
      answers.set(message.clientId as string, message.type === 'posted' ? 'posted' : (message as { code: string }).code)
    t.equal(socket.closed, null, 'the socket stays open')
    socket.ws.terminate()
  }
  const rows: { client_id: string; body: string }[] = await test.sql('select client_id, body from messages')
  const kept = new Map(rows.map(row => [row.client_id, row.body]))
  const wrong = NAUGHTY.flatMap((text, n) => {
    const answer = answers.get(`${n}`)
    if (answer === 'validation_failed') return kept.has(`${n}`) ? [`${n} is refused and kept`] : []
    return answer === 'posted' && kept.get(`${n}`) === text.normalize('NFC')
      ? []
      : [`${n}: ${answer} ${kept.get(`${n}`)}`]
  })
  t.same(wrong, [])
  t.ok(rows.length > NAUGHTY.length / 2, `${rows.length} of ${NAUGHTY.length} are kept`)
})
