import t from 'tap'
import { AnswerFeed } from '../../../src/domains/chat/service/feed.ts'
import { createOrganization } from '../../helpers/actors.ts'
import { AnswerClient } from '../../helpers/answers.ts'
import { listen, testApp } from '../../helpers/app.ts'
import { call } from '../../helpers/call.ts'
import { eventually } from '../../helpers/mail.ts'
import { DONE, finished, said, saying, startOpenAi } from '../../helpers/openai.ts'

/** Fills several parts. The characters of two code units meet the ends of parts. */
const TEXT = `x${'🌍 '.repeat(60_000)}`
/** What is sent to a reader at once. */
const MAX_PART = 32_768

const server = await startOpenAi(t)
const test = await testApp(t, { ai: server.ai })
const { app } = test
const base = await listen(app)
const { id: organizationId, member } = await createOrganization(test)

t.test('a reader that does not read is sent nothing more, and then all of it, part by part', async t => {
  server.answer = saying(said(TEXT.slice(0, 100_001)), said(TEXT.slice(100_001)), finished(), DONE)
  const path = `POST /organizations/${organizationId}/chats`
  const { body: chat } = await call(app, path, { as: member, body: { title: 'Chat' } })
  const body = { content: 'Hello' }
  const stream = await AnswerClient.open(base, `POST /chats/${chat.id}/messages`, { as: member, body })
  t.teardown(stream.leave)
  await eventually(async () => stream.events.length > 0, 'its beginning')
  const feed = new AnswerFeed(app)
  const parts: string[] = []
  let ends = 0
  const slow = {
    id: stream.events[0]?.data.answer.id as string,
    offset: 0,
    isReady: false,
    async send(text: string) {
      parts.push(text)
      return true
    },
    async end() {
      ends += 1
      leave()
    },
  }
  const leave = feed.follow(slow)
  t.match(await stream.last(), { event: 'done' })
  t.ok(stream.said === TEXT, 'one that reads has the whole text')
  t.same([parts, ends], [[], 0], 'the other has been sent nothing')
  slow.isReady = true
  await eventually(async () => ends > 0, 'the end')
  t.ok(parts.join('') === TEXT, 'each character once')
  t.ok(parts.every(part => part.length <= MAX_PART && part.isWellFormed()))
  t.ok(parts.length > TEXT.length / MAX_PART)
  t.equal(ends, 1)
})
