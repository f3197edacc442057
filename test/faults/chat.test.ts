import t from 'tap'
import { AnswerClient } from '../helpers/answers.ts'
import { eventually } from '../helpers/mail.ts'
import { begin, DONE, finished, hangingAfter, said, startOpenAi } from '../helpers/openai.ts'
import { startLintel } from './lintel.ts'
import { connect, emptyDatabase } from './postgres.ts'
import { createTenant } from './tenant.ts'

const server = await startOpenAi(t)
const databaseUrl = await emptyDatabase(t)
const env = {
  AI_BASE_URL: server.ai.baseUrl as string,
  AI_API_KEY: server.ai.apiKey as string,
  AI_MODEL: 'test-model',
  AI_OUTPUT_PRICE_CENTS: '1000',
}
const nodes = [await startLintel(t, { databaseUrl, env }), await startLintel(t, { databaseUrl, env })] as const
const { token, organizationId } = await createTenant(nodes[0].base)
const as = { headers: { authorization: `Bearer ${token}` } }
const database = await connect(databaseUrl)
t.teardown(() => database.end())

async function newChat(): Promise<string> {
  const answer = await fetch(`${nodes[1].base}/api/v1/organizations/${organizationId}/chats`, {
    method: 'POST',
    headers: { ...as.headers, 'content-type': 'application/json' },
    body: '{"title":"Chat"}',
  })
  return ((await answer.json()) as { id: string }).id
}
const ask = async (at: string, chat: string) =>
  AnswerClient.open(at, `POST /chats/${chat}/messages`, { as, body: { content: 'Hello' } })

t.test('a killed process leaves its answer interrupted with what was stored; another node says so', async t => {
  const [killed, other] = nodes
  server.answer = hangingAfter(said('Half an '), said('answer'))
  const chat = await newChat()
  const stream = await ask(killed.base, chat)
  await eventually(async () => stream.said === 'Half an answer', 'the beginning')
  const reader = await AnswerClient.open(other.base, `GET /chats/${chat}/stream`, { as })
  await killed.end('SIGKILL')
  t.match(await reader.last(), { event: 'problem', data: { code: 'answer_interrupted', retryAfterSeconds: 1 } })
  t.equal(reader.said, 'Half an answer')
  const { rows } = await database.query(`select m.status, m.content, u.reserved_micros, u.cost_micros
    from chat_messages m join chat_usage u using (organization_id) where m.chat_id = '${chat}' and role = 'assistant'`)
  t.match(rows, [{ status: 'interrupted', content: 'Half an answer', reserved_micros: '0' }])
  t.ok(Number(rows[0].cost_micros) > 0, 'what was written is counted')
  server.answer = response => begin(response).end(said('Again') + finished() + DONE)
  const next = await ask(other.base, chat)
  t.match(await next.last(), { event: 'done' }, 'the chat goes on')
  t.same(other.faults(), [])
})

t.test('an answer that nobody reads is found by the job when its process was killed', async t => {
  server.answer = hangingAfter(said('Half'))
  const lost = await startLintel(t, { databaseUrl, env: { ...env, ROLE: 'api' } })
  const chat = await newChat()
  const stream = await ask(lost.base, chat)
  await eventually(async () => stream.said === 'Half', 'the beginning')
  await lost.end('SIGKILL')
  await database.query(
    `update chat_messages set lease_until = now() - interval '1 second' where chat_id = '${chat}' and status = 'running'`,
  )
  await database.query(
    `insert into jobs.job (name, data) values ('chat.interrupt_expired', '{"payload":{},"traceparent":null}')`,
  )
  await eventually(async () => {
    const { rows } = await database.query(
      `select status from chat_messages where chat_id = '${chat}' and role = 'assistant'`,
    )
    return rows[0].status === 'interrupted'
  }, 'it is settled')
})
