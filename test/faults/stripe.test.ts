import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { capture, eventOf, signedEvent, startStripe, WEBHOOK_SECRETS } from '../helpers/stripe.ts'
import { type Lintel, startLintel } from './lintel.ts'
import { connect, emptyDatabase } from './postgres.ts'
import { seeded } from './random.ts'
import { createTenant } from './tenant.ts'

/** The full size: `STRIPE_PAYMENTS=1000 STRIPE_KILLS=20`. */
const PAYMENTS = Number(process.env.STRIPE_PAYMENTS ?? 20)
const KILLS = Number(process.env.STRIPE_KILLS ?? 2)
const METHODS = ['pm_card_visa', 'pm_card_timeout', 'pm_card_late', 'pm_card_action', 'pm_card_declined'] as const
const AT_ONCE = 16
const PAUSE_MS = 50
/** The job of a process that was killed is taken over after a minute. */
const PATIENCE_MS = 240_000

t.test('payments and shuffled, doubled events, while processes are killed: all ends as at Stripe', async t => {
  const random = seeded(t)
  const server = await startStripe(t)
  const databaseUrl = await emptyDatabase(t)
  const env = {
    STRIPE_SECRET_KEY: server.stripe.secretKey,
    STRIPE_WEBHOOK_SECRET: WEBHOOK_SECRETS.join(),
    STRIPE_BASE_URL: server.stripe.baseUrl,
  }
  const start = () => startLintel(t, { databaseUrl, env })
  const processes = [await start(), await start()] as [Lintel, Lintel]
  const database = await connect(databaseUrl)
  t.teardown(() => database.end())
  const { token, organizationId } = await createTenant(processes[0].base)

  /** Sends a request until a process answers it with success. */
  async function insist(path: string, headers: Record<string, string>, body: string): Promise<string> {
    for (;;) {
      const { base } = random.pick(processes)
      const answer = await fetch(`${base}/api/v1${path}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...headers },
        body,
      }).catch(() => undefined)
      if (answer?.ok) return answer.text()
      await answer?.body?.cancel()
      await sleep(PAUSE_MS)
    }
  }
  async function begin(paymentMethod: string): Promise<string> {
    const headers = { authorization: `Bearer ${token}`, 'idempotency-key': randomUUID() }
    const body = JSON.stringify({ amountCents: 1_000, currency: 'EUR', paymentMethod })
    return JSON.parse(await insist(`/organizations/${organizationId}/payment-intents`, headers, body)).id
  }
  async function becomes(what: string, count: (rows: { id: string; reference: string; status: string }[]) => boolean) {
    for (const end = Date.now() + PATIENCE_MS; Date.now() < end; await sleep(PAUSE_MS)) {
      const { rows } = await database.query('select id, reference, status from payments')
      if (count(rows)) return rows as { id: string; reference: string; status: string }[]
    }
    throw new Error(`in vain: ${what}`)
  }

  const ids = await Promise.all(
    Array.from({ length: PAYMENTS }, (_, at) => begin(METHODS[at % METHODS.length] as string)),
  )
  // What is decided later is decided now, and told in any order.
  const known = await becomes('Stripe knows all', rows => rows.every(({ reference }) => reference !== null))
  const history = known.flatMap(({ reference }) => {
    const intent = server.intents.get(reference)
    const before = eventOf(`payment_intent.${intent.status}`, structuredClone(intent))
    if (intent.status === 'processing' || intent.status === 'requires_action') {
      if (random.below(3) > 0) capture(server, intent)
      else Object.assign(intent, { status: 'requires_payment_method', last_payment_error: { code: 'card_declined' } })
    }
    const after = eventOf(`payment_intent.${intent.status}`, structuredClone(intent))
    return [before, after, before, after]
  })
  const waiting = history.map(event => ({ event, at: random.below(1_000_000) })).toSorted((a, b) => a.at - b.at)
  const total = waiting.length
  const deliver = async () => {
    for (let next = waiting.pop(); next; next = waiting.pop()) {
      const { body, signature } = signedEvent(next.event)
      await insist('/webhooks/stripe', { 'stripe-signature': signature }, body)
    }
  }
  const work = Promise.all(Array.from({ length: AT_ONCE }, deliver))
  for (let kill = 0; kill < KILLS; kill++) {
    while (waiting.length > total - ((kill + 1) * total) / (KILLS + 1)) await sleep(1)
    const at = random.below(2)
    await processes[at]?.end('SIGKILL')
    processes[at] = await start()
  }
  await work

  const ended = await becomes('all end', rows =>
    rows.every(({ status }) => status === 'succeeded' || status === 'failed'),
  )
  t.equal(ended.length, ids.length)
  const wrong = ended.filter(
    ({ reference, status }) => (server.intents.get(reference).status === 'succeeded') !== (status === 'succeeded'),
  )
  t.strictSame(wrong, [], 'every payment is as at Stripe')
  t.ok(
    [...server.charges.values()].every(charges => charges === 1),
    'nobody was charged twice',
  )
  const { rows: posted } = await database.query(
    `select p.id, p.status, (select count(*)::int from transfers where source = 'payment' and source_id = p.id) as transfers,
      (select count(*)::int from events where target_id = p.id and type in ('payment.succeeded', 'payment.failed')) as ends
      from payments p`,
  )
  t.strictSame(
    posted.filter(({ status, transfers, ends }) => transfers !== Number(status === 'succeeded') || ends !== 1),
    [],
    'each is posted and told once',
  )
  t.strictSame(
    processes.flatMap(lintel => lintel.faults()),
    [],
    'no error in the logs',
  )
})
