import t from 'tap'
import { createOrganization } from '../../helpers/actors.ts'
import { AnswerClient } from '../../helpers/answers.ts'
import { anotherNode, listen, testApp } from '../../helpers/app.ts'
import { call } from '../../helpers/call.ts'
import { eventually } from '../../helpers/mail.ts'
import { DONE, finished, hangingAfter, said, saying, startOpenAi, used } from '../../helpers/openai.ts'

/** An answer may have 1,000 tokens for 10 cents, so ten fit. What is read costs nothing here. */
const BUDGET_CENTS = 100
const prices = { inputCents: 0, outputCents: 10_000 }
const server = await startOpenAi(t, { prices, monthlyBudgetCents: BUDGET_CENTS })
const test = await testApp(t, { ai: server.ai })
const { app, sql } = test
const bases = [await listen(app), await listen(await anotherNode(t, test))] as const

async function tenant() {
  const { id, member } = await createOrganization(test)
  const newChat = async (): Promise<string> =>
    (await call(app, `POST /organizations/${id}/chats`, { as: member, body: { title: 'Chat' } })).body.id
  const ask = async (chat: string, at: string = bases[0]) => {
    const stream = await AnswerClient.open(at, `POST /chats/${chat}/messages`, {
      as: member,
      body: { content: 'Hello' },
    })
    t.teardown(stream.leave)
    return stream
  }
  const usage = async () => (await sql('select * from chat_usage where organization_id = $1', [id]))[0]
  return { id, member, newChat, ask, usage }
}

t.test('of thirty questions at once on two nodes, no more are answered than the budget pays for', async t => {
  server.answer = hangingAfter(said('One'))
  const { member, newChat, ask, usage } = await tenant()
  const chats = await Promise.all(Array.from({ length: 30 }, newChat))
  const streams = await Promise.all(chats.map((chat, n) => ask(chat, bases[n % 2])))
  const answered = streams.filter(({ status }) => status === 200)
  t.equal(answered.length, 10)
  const refused = streams.find(({ status }) => status === 429) as AnswerClient
  await refused.last()
  t.match(JSON.parse(refused.text), { code: 'chat_budget_exhausted' })
  t.match(await usage(), { reserved_micros: '1000000', cost_micros: '0' })

  await eventually(async () => answered.every(({ said }) => said === 'One'), 'the beginnings')
  await Promise.all(chats.map(chat => call(app, `POST /chats/${chat}/stop`, { as: member })))
  t.match(await usage(), { reserved_micros: '0', cost_micros: '1000', output_tokens: '10' }, 'a token each')
  const [chat] = chats as [string]
  server.answer = saying(said('One'), finished(), used(3, 500), DONE)
  t.equal((await (await ask(chat)).last()).event, 'done', 'what was reserved is free again')
  t.match(await usage(), { reserved_micros: '0', cost_micros: '51000', input_tokens: /^\d+$/, output_tokens: '510' })
})

t.test('a chat that is deleted, and one whose answer fails, give back what they reserved', async t => {
  const { member, newChat, ask, usage } = await tenant()
  server.answer = hangingAfter(said('One'))
  const deleted = await newChat()
  const stream = await ask(deleted)
  await eventually(async () => stream.said === 'One', 'the beginning')
  t.equal((await call(app, `DELETE /chats/${deleted}`, { as: member })).status, 204)
  server.answer = response => response.writeHead(500).end()
  await (await ask(await newChat())).last()
  t.match(await usage(), { reserved_micros: '0', cost_micros: '100' })
})

t.test('the budget of one month is not that of the next, nor that of another organization', async t => {
  server.answer = saying(said('One'), finished(), used(3, 1), DONE)
  const [spent, other] = [await tenant(), await tenant()]
  await sql(
    `insert into chat_usage (organization_id, month, cost_micros)
      select $1, date_trunc('month', now())::date - make_interval(months => n), 1000000 from generate_series(0, 1) n`,
    [spent.id],
  )
  t.equal((await spent.ask(await spent.newChat())).status, 429)
  t.equal((await other.ask(await other.newChat())).status, 200)
  await sql(`delete from chat_usage where organization_id = $1 and month = date_trunc('month', now())::date`, [
    spent.id,
  ])
  t.equal((await spent.ask(await spent.newChat())).status, 200)
})
