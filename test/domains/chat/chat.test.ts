import t, { type Test } from 'tap'
import { createKey, createOrganization } from '../../helpers/actors.ts'
import { AnswerClient } from '../../helpers/answers.ts'
import { anotherNode, listen, testApp } from '../../helpers/app.ts'
import { type Credentials, call } from '../../helpers/call.ts'
import { eventually } from '../../helpers/mail.ts'

const test = await testApp(t)
const { app, sql } = test
const other = await anotherNode(t, test)
const base = await listen(app)
const elsewhere = await listen(other)
const { id: organizationId, member, viewer, outsider } = await createOrganization(test)
/** Takes the echo long enough to be met in the middle. */
const LONG = Array.from({ length: 150 }, (_, n) => `word-${n}`).join(' ')

const newChat = async (): Promise<string> =>
  (await call(app, `POST /organizations/${organizationId}/chats`, { as: member, body: { title: 'Chat' } })).body.id

interface Opening {
  at?: string
  as?: Credentials
  headers?: Record<string, string>
}
async function ask(t: Test, chat: string, content: string, { at = base, as = member, headers = {} }: Opening = {}) {
  const stream = await AnswerClient.open(at, `POST /chats/${chat}/messages`, { as, body: { content }, headers })
  t.teardown(stream.leave)
  return stream
}
async function resume(t: Test, chat: string, lastEventId?: string, { at = base, as = member }: Opening = {}) {
  const headers = lastEventId === undefined ? {} : { 'last-event-id': lastEventId }
  const stream = await AnswerClient.open(at, `GET /chats/${chat}/stream`, { as, headers })
  t.teardown(stream.leave)
  return stream
}
const messagesOf = async (chat: string) =>
  (await call(app, `GET /chats/${chat}/messages?sort=createdAt`, { as: viewer })).body.data
const hasSaid = (stream: AnswerClient) => eventually(async () => stream.said.length > 50, 'some text')

t.test('the answer comes as it is written, is stored, and ends with the whole of it', async t => {
  const chat = await newChat()
  const stream = await ask(t, chat, 'Hello, 🌍 and "all".')
  t.equal(stream.status, 200)
  t.match(stream.headers, { 'content-type': 'text/event-stream', 'cache-control': 'no-store, no-transform' })
  const { event, data } = await stream.last()
  t.equal(event, 'done')
  t.equal(stream.ending, 'complete')
  t.equal(stream.said, 'Hello, 🌍 and "all".')
  const [question, answer] = await messagesOf(chat)
  t.match(stream.events[0], { event: 'begun', data: { question, answer: { id: answer.id, status: 'running' } } })
  t.same(data, answer)
  t.match(question, { role: 'user', authorId: member.id, content: 'Hello, 🌍 and "all".', status: 'complete' })
  t.match(answer, { role: 'assistant', authorId: null, content: question.content, status: 'complete', model: 'echo' })
  t.match(answer, { inputTokens: 4, outputTokens: 4, costMicros: 0, failureCode: null })
  t.same(await sql('select from chat_chunks where message_id = $1', [answer.id]), [])
  const events = await sql('select type, actor_type from events where target_id = any($1) order by position, seq', [
    [question.id, answer.id],
  ])
  t.same(events, [
    { type: 'chat_message.created', actor_type: 'user' },
    { type: 'chat_message.created', actor_type: 'user' },
    { type: 'chat_message.completed', actor_type: 'system' },
  ])
})

t.test('a reader that is cut off again and again, on two nodes, sees each token once', async t => {
  const chat = await newChat()
  let stream = await ask(t, chat, LONG)
  let said = ''
  for (let cut = 0; cut < 6; cut++) {
    await eventually(async () => stream.said !== '', 'something comes')
    stream.leave()
    said += stream.said
    stream = await resume(t, chat, stream.lastEventId, { at: cut % 2 ? base : elsewhere, as: viewer })
    t.equal(stream.status, 200)
  }
  t.equal((await stream.last()).event, 'done')
  t.equal(said + stream.said, LONG)
})

t.test('whoever comes later reads the answer from its beginning, on any node', async t => {
  const chat = await newChat()
  const first = await ask(t, chat, LONG)
  await hasSaid(first)
  const streams = await Promise.all([base, elsewhere].map(at => resume(t, chat, undefined, { at })))
  for (const stream of [first, ...streams]) {
    t.match(await stream.last(), { event: 'done', data: { content: LONG } })
    t.equal(stream.said, LONG)
  }
})

t.test('after the end nothing follows: 204, so that an EventSource does not come again', async t => {
  const chat = await newChat()
  t.equal((await resume(t, chat)).status, 204)
  const stream = await ask(t, chat, 'One two three')
  await stream.last()
  t.equal((await resume(t, chat, stream.lastEventId)).status, 204)
  t.equal((await resume(t, chat)).status, 204)
  const [begun] = stream.events
  const again = await resume(t, chat, begun?.id)
  t.match(await again.last(), { event: 'done', data: { content: 'One two three' } })
  t.equal(again.said, 'One two three', 'a settled answer is read as a running one is')
})

t.test('a place that is none, or one in another chat, is 400', async t => {
  const chat = await newChat()
  const stream = await ask(t, chat, 'One')
  await stream.last()
  for (const id of ['nonsense', `${chat}.x`, `${chat}.-1`, `${chat}.99999999999`]) {
    const refused = await resume(t, chat, id)
    t.equal(refused.status, 400, id)
    await refused.last()
    t.match(JSON.parse(refused.text), { code: 'cursor_invalid' })
  }
  const foreign = await resume(t, await newChat(), stream.lastEventId)
  await foreign.last()
  t.match(JSON.parse(foreign.text), { status: 400, code: 'cursor_mismatch' })
})

t.test('a stop on another node ends the answer within a second and keeps its text', async t => {
  const chat = await newChat()
  const streams = [await ask(t, chat, LONG)]
  await hasSaid(streams[0] as AnswerClient)
  streams.push(await resume(t, chat, undefined, { at: elsewhere }))
  t.equal((await call(other, `POST /chats/${chat}/stop`, { as: member })).status, 204)
  const [, stopped] = await messagesOf(chat)
  t.match(stopped, { status: 'stopped', failureCode: null })
  t.ok(stopped.content.length > 50 && LONG.startsWith(stopped.content), 'a beginning of it')
  t.equal(stopped.outputTokens, Math.ceil(stopped.content.length / 4), 'estimated from the characters')
  for (const stream of streams) {
    t.same(await stream.last(), { ...stream.events.at(-1), event: 'done', data: stopped })
    t.equal(stream.said, stopped.content)
  }
  t.equal((await call(other, `POST /chats/${chat}/stop`, { as: member })).status, 204, 'nothing runs, nothing happens')
  t.same((await messagesOf(chat))[1], stopped)
  t.match(
    await sql(`select actor_id from events where type = 'chat_message.stopped' and target_id = $1`, [stopped.id]),
    [{ actor_id: member.id }],
  )
})

t.test('a chat has one running answer: of twenty that ask at once, one is answered', async t => {
  const chat = await newChat()
  const nodes = [base, elsewhere]
  const streams = await Promise.all(
    Array.from({ length: 20 }, (_, n) => ask(t, chat, LONG, { at: nodes[n % 2] as string })),
  )
  t.same(streams.map(({ status }) => status).sort(), [200, ...new Array(19).fill(409)])
  const refused = streams.find(({ status }) => status === 409) as AnswerClient
  await refused.last()
  t.match(JSON.parse(refused.text), { code: 'chat_busy' })
  t.equal((await messagesOf(chat)).length, 2, 'the others leave no question')
  await call(app, `POST /chats/${chat}/stop`, { as: member })
  t.equal((await ask(t, chat, 'Next')).status, 200)
})

t.test('a question that is sent again with its key is the same question, and has the same answer', async t => {
  const chat = await newChat()
  const headers = { 'idempotency-key': `key-${chat}` }
  const first = await ask(t, chat, 'Only once', { headers })
  await first.last()
  const again = await ask(t, chat, 'Only once', { headers, at: elsewhere })
  t.equal(again.headers['idempotent-replayed'], 'true')
  await again.last()
  t.same(again.events.at(-1), first.events.at(-1))
  t.same(again.events[0], first.events[0])
  t.equal(again.said, 'Only once')
  t.equal((await messagesOf(chat)).length, 2)
  t.equal((await ask(t, chat, 'Another', { headers })).status, 422)
})

t.test('the provider is told what was said before', async t => {
  const chat = await newChat()
  for (const content of ['One two', 'Three']) await (await ask(t, chat, content)).last()
  const [, , , answer] = await messagesOf(chat)
  t.equal(answer.inputTokens, 5, 'both questions and the first answer')
})

t.test('a deleted chat ends its answer and its streams, and leaves nothing', async t => {
  const chat = await newChat()
  const stream = await ask(t, chat, LONG)
  await hasSaid(stream)
  t.equal((await call(other, `DELETE /chats/${chat}`, { as: member })).status, 204)
  await stream.last()
  t.same(await sql('select from chat_messages where chat_id = $1', [chat]), [])
})

t.test('chats of another organization do not exist; a viewer reads and does not ask', async t => {
  const chat = await newChat()
  const stream = await ask(t, chat, 'Hello')
  await stream.last()
  const body = { content: 'x' }
  for (const path of [
    `POST /chats/${chat}/messages`,
    `GET /chats/${chat}/messages`,
    `GET /chats/${chat}/stream`,
    `POST /chats/${chat}/stop`,
  ]) {
    const answer = await call(app, path, {
      as: outsider,
      ...(path.endsWith('messages') && path.startsWith('POST') ? { body } : {}),
    })
    t.equal(answer.status, 404, path)
  }
  t.equal((await call(app, `POST /chats/${chat}/messages`, { as: viewer, body })).status, 403)
  t.equal((await call(app, `POST /chats/${chat}/stop`, { as: viewer })).status, 403)
  t.equal((await resume(t, chat, stream.lastEventId, { as: viewer })).status, 204)
  const key = await createKey(test, organizationId, 'chat:write')
  const byKey = await ask(t, chat, 'By key', { as: key })
  await byKey.last()
  t.match((await messagesOf(chat))[2], { authorId: null, content: 'By key' })
})
