import { setTimeout as sleep } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { createOrganization } from '../../helpers/actors.ts'
import { AnswerClient } from '../../helpers/answers.ts'
import { anotherNode, listen, testApp } from '../../helpers/app.ts'
import { call } from '../../helpers/call.ts'
import { eventually } from '../../helpers/mail.ts'
import {
  type Asked,
  begin,
  DONE,
  event,
  finished,
  hangingAfter,
  said,
  saying,
  startOpenAi,
  used,
} from '../../helpers/openai.ts'
import { promised } from '../../helpers/promised.ts'

const server = await startOpenAi(t)
const test = await testApp(t, { ai: server.ai })
const { app } = test
const base = await listen(app)
const organization = await createOrganization(test)
const { member } = organization

const newChat = async (): Promise<string> => {
  const path = `POST /organizations/${organization.id}/chats`
  return (await call(app, path, { as: member, body: { title: 'Chat' } })).body.id
}
async function ask(t: Test, chat: string, content = 'Hello?', at = base) {
  const stream = await AnswerClient.open(at, `POST /chats/${chat}/messages`, { as: member, body: { content } })
  t.teardown(stream.leave)
  return stream
}
const answerIn = async (chat: string) =>
  (await call(app, `GET /chats/${chat}/messages?limit=1`, { as: member })).body.data[0]

t.test('the provider is asked in its protocol, and what it counts is what the answer cost', async t => {
  const chat = await newChat()
  await (await ask(t, chat, 'First')).last()
  server.asked.length = 0
  await (await ask(t, chat, 'Second')).last()
  const { path, headers, body } = server.asked[0] as Asked
  t.equal(path, '/v1/chat/completions')
  t.equal(headers.authorization, 'Bearer canary-key-of-the-provider')
  t.match(body, { model: 'test-model', stream: true, stream_options: { include_usage: true }, max_tokens: 1_000 })
  t.same(body.messages, [
    { role: 'user', content: 'First' },
    { role: 'assistant', content: 'Hello' },
    { role: 'user', content: 'Second' },
  ])
  t.match(await answerIn(chat), { content: 'Hello', status: 'complete', model: 'test-model' })
  t.match(await answerIn(chat), { inputTokens: 7, outputTokens: 3, costMicros: Math.ceil((7 * 250 + 3 * 1_000) / 100) })
})

t.test('an answer that comes in odd pieces is put together as it was meant', async t => {
  const text = 'Zażółć 🌍 gęślą\n\n"jaźń" 👩‍👩‍👧‍👦'
  const whole = [...text].map(said).join('') + said('\ud83c') + said('\udf0d') + said('a\0b') + finished() + DONE
  server.answer = async response => {
    begin(response)
    const bytes = Buffer.from(whole)
    for (let at = 0; at < bytes.length; at += 7) {
      response.write(bytes.subarray(at, at + 7))
      if (at % 70 === 0) await sleep(1)
    }
    response.end()
  }
  const chat = await newChat()
  const stream = await ask(t, chat)
  t.equal((await stream.last()).event, 'done')
  t.equal(stream.said, `${text}🌍ab`, 'halves of a character become one, and NUL is left out')
  t.match(await answerIn(chat), { content: stream.said })
})

const PART = said('Half an ')
const failures: Record<string, { answer: typeof server.answer; code: string; content?: string; more?: object }> = {
  'an error': { answer: response => response.writeHead(500).end('canary'), code: 'assistant_failed' },
  'a wrong key': { answer: response => response.writeHead(401).end('{"error":"canary"}'), code: 'assistant_failed' },
  'a redirect': {
    answer: response => response.writeHead(307, { location: 'http://127.0.0.1:1/' }).end(),
    code: 'assistant_failed',
  },
  'a limit, with its wait': {
    answer: response => response.writeHead(429, { 'retry-after': '17' }).end(),
    code: 'assistant_busy',
    more: { retryAfterSeconds: 17 },
  },
  'a limit as a date': {
    answer: response => response.writeHead(503, { 'retry-after': new Date(Date.now() + 90_000).toUTCString() }).end(),
    code: 'assistant_busy',
  },
  'a cut before the answer': { answer: response => response.destroy(), code: 'answer_incomplete' },
  'a cut in the answer': {
    answer: async response => {
      begin(response).write(PART)
      await sleep(300)
      response.destroy()
    },
    code: 'answer_incomplete',
    content: 'Half an ',
  },
  'an end without [DONE]': { answer: saying(PART, finished()), code: 'answer_incomplete', content: 'Half an ' },
  'an end without a reason': { answer: saying(PART, DONE), code: 'answer_incomplete', content: 'Half an ' },
  'a cut by length': {
    answer: saying(PART, finished('length'), used(5, 1_000), DONE),
    code: 'answer_too_long',
    content: 'Half an ',
  },
  'a filter': { answer: saying(PART, finished('content_filter'), DONE), code: 'answer_withheld', content: 'Half an ' },
  'an error in the answer': {
    answer: saying(PART, event({ error: { message: 'canary' } })),
    code: 'assistant_failed',
    content: 'Half an ',
  },
  'no JSON': { answer: saying(PART, event('{"choices":')), code: 'assistant_failed', content: 'Half an ' },
  'other JSON': { answer: saying(event('null')), code: 'assistant_failed' },
  'a page in place of a stream': { answer: saying('<html>canary</html>'), code: 'answer_incomplete' },
  'an event without an end': {
    answer: saying(PART, `data: ${'x'.repeat(2_000_000)}`),
    code: 'assistant_failed',
    content: 'Half an ',
  },
}

for (const [name, { answer, code, content = '', more = {} }] of Object.entries(failures))
  t.test(`${name} of the provider ends the stream with a problem, and the text is kept`, async t => {
    server.answer = answer
    const chat = await newChat()
    const stream = await ask(t, chat)
    const { event, data } = await stream.last()
    t.equal(event, 'problem')
    t.match(data, { code, requestId: stream.headers['request-id'], ...more })
    t.equal(stream.ending, 'complete')
    t.notMatch(JSON.stringify(stream.events), 'canary', 'nothing of the provider is passed on')
    t.match(await answerIn(chat), { status: 'failed', failureCode: code, content })
    server.answer = saying(said('Again'), finished(), DONE)
    t.equal((await (await ask(t, chat)).last()).event, 'done', 'the chat goes on')
  })

t.test('an answer cut by length costs what the provider counted', async t => {
  server.answer = saying(PART, finished('length'), used(5, 1_000), DONE)
  const chat = await newChat()
  await (await ask(t, chat)).last()
  t.match(await answerIn(chat), { inputTokens: 5, outputTokens: 1_000 })
})

t.test(
  'a provider that is silent, before the answer or in it, is left, and the stream ends with a problem',
  async t => {
    const node = await anotherNode(t, test, { ai: { ...server.ai, timeoutMs: 500 } })
    const at = await listen(node)
    for (const answer of [() => undefined, hangingAfter(PART)]) {
      server.answer = answer
      const chat = await newChat()
      const stream = await ask(t, chat, 'Hello?', at)
      t.match(await stream.last(), { event: 'problem', data: { code: 'assistant_silent', status: 504 } })
      await server.asked.at(-1)?.over
    }
  },
)

t.test('a provider that is not there is a problem', async t => {
  const node = await anotherNode(t, test, { ai: { ...server.ai, baseUrl: 'http://127.0.0.1:9/v1' } })
  const stream = await ask(t, await newChat(), 'Hello?', await listen(node))
  t.match(await stream.last(), { event: 'problem', data: { code: 'assistant_failed' } })
})

t.test('a stop on another node ends the request to the provider within a second', async t => {
  server.answer = hangingAfter(PART)
  const other = await anotherNode(t, test)
  const chat = await newChat()
  const stream = await ask(t, chat)
  await eventually(async () => stream.said === 'Half an ', 'the beginning')
  const begun = performance.now()
  t.equal((await call(other, `POST /chats/${chat}/stop`, { as: member })).status, 204)
  await server.asked.at(-1)?.over
  const tookMs = performance.now() - begun
  t.ok(tookMs < promised(1_000, 20_000), `${Math.round(tookMs)} ms`)
  t.match(await stream.last(), { event: 'done', data: { status: 'stopped', content: 'Half an ' } })
})

t.test('the answer does not end with its reader', async t => {
  let go = () => {}
  server.answer = async response => {
    begin(response).write(PART)
    await new Promise<void>(resolve => {
      go = resolve
    })
    response.end(said('answer') + finished() + DONE)
  }
  const chat = await newChat()
  const stream = await ask(t, chat)
  await eventually(async () => stream.said !== '', 'the beginning')
  stream.leave()
  go()
  const done = await eventually(async () => {
    const answer = await answerIn(chat)
    return answer.status === 'complete' && answer
  }, 'the end')
  t.equal(done.content, 'Half an answer')
})

t.test('a process that stops settles its answers as interrupted, with what was stored', async t => {
  server.answer = hangingAfter(PART)
  const node = await anotherNode(t, test)
  const chat = await newChat()
  const stream = await ask(t, chat, 'Hello?', await listen(node))
  await eventually(async () => stream.said !== '', 'the beginning')
  await node.close()
  await server.asked.at(-1)?.over
  t.match(await answerIn(chat), { status: 'interrupted', content: 'Half an ', failureCode: 'answer_interrupted' })
  const headers = { 'last-event-id': stream.lastEventId }
  const resumed = await AnswerClient.open(base, `GET /chats/${chat}/stream`, { as: member, headers })
  t.match(await resumed.last(), { event: 'problem', data: { code: 'answer_interrupted', status: 503 } })
  t.equal(resumed.said, '')
})
