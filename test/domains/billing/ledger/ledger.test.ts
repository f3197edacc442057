import { randomUUID } from 'node:crypto'
import t from 'tap'
import { createKey, createOrganization, createUser } from '../../../helpers/actors.ts'
import { testApp } from '../../../helpers/app.ts'
import { type Credentials, call } from '../../../helpers/call.ts'

const test = await testApp(t)
const { app, sql } = test
const platformAdmin = await createUser(test, { role: 'admin' })
const MAX = Number.MAX_SAFE_INTEGER

type Organization = Awaited<ReturnType<typeof createOrganization>>

async function open(organization: Organization, more: object = {}, as: Credentials = platformAdmin): Promise<string> {
  const path = `POST /organizations/${organization.id}/accounts`
  return (await call(app, path, { as, body: { currency: 'EUR', ...more } })).body.id
}

const transfer = (as: Credentials, body: object, key: string = randomUUID()) =>
  call(app, 'POST /transfers', { as, body, headers: { 'idempotency-key': key } })
const reverse = (as: Credentials, id: string, key: string = randomUUID()) =>
  call(app, `POST /transfers/${id}/reverse`, { as, headers: { 'idempotency-key': key } })
const move = (fromAccountId: string, toAccountId: string, amountCents: number, currency = 'EUR') => ({
  fromAccountId,
  toAccountId,
  amountCents,
  currency,
})

const balanceOf = async (id: string) =>
  Number((await sql('select balance_cents from accounts where id = $1', [id]))[0].balance_cents)

/** An organization with a bank and two accounts, of which the first has `cents`. */
async function books({ cents = 1_000 } = {}) {
  const organization = await createOrganization(test)
  const bank = await open(organization, { kind: 'system' })
  const [cash, reserve] = [await open(organization), await open(organization)]
  if (cents > 0) await transfer(platformAdmin, move(bank, cash, cents))
  return { ...organization, organization, bank, cash, reserve }
}

t.test('a transfer moves its amount, with one entry on each side and its event', async t => {
  const { owner, cash, reserve, id } = await books()
  const made = await transfer(owner, { ...move(cash, reserve, 250), reference: 'Savings' })
  t.match(made, { status: 201, body: { ...move(cash, reserve, 250), reference: 'Savings', organizationId: id } })
  t.match(made.headers, { location: `/api/v1/transfers/${made.body.id}`, 'cache-control': 'no-store' })
  t.same([await balanceOf(cash), await balanceOf(reserve)], [750, 250])
  const { body } = await call(app, `GET /accounts/${cash}/entries`, { as: owner })
  t.match(body.data, [
    { seq: 2, transferId: made.body.id, amountCents: -250, balanceCents: 750 },
    { seq: 1, amountCents: 1_000, balanceCents: 1_000 },
  ])
  const events = await sql('select type, data from events where target_id = $1', [made.body.id])
  t.match(events, [{ type: 'transfer.created', data: made.body }])
  t.match(await call(app, `GET /accounts/${cash}`, { as: owner }), {
    body: { balanceCents: 750 },
    headers: { 'cache-control': 'no-store' },
  })
})

t.test('an amount is a positive integer up to 2^53 − 1; nothing else moves anything', async t => {
  const { owner, cash, reserve } = await books()
  for (const amountCents of [0, -1, 0.5, '10', 2 ** 53, 1e300, null, true, [10]])
    t.match(
      await transfer(owner, { ...move(cash, reserve, 1), amountCents }),
      { status: 422, body: { code: 'validation_failed' } },
      String(amountCents),
    )
  t.same([await balanceOf(cash), await balanceOf(reserve)], [1_000, 0])
})

t.test('a balance never passes ±(2^53 − 1)', async t => {
  const { bank, cash, reserve } = await books({ cents: MAX })
  t.match(await transfer(platformAdmin, move(bank, reserve, 1)), { status: 422, body: { code: 'amount_out_of_range' } })
  t.same([await balanceOf(bank), await balanceOf(cash)], [-MAX, MAX])
})

t.test('currencies are never mixed, in the request or between the accounts', async t => {
  const { owner, organization, cash, reserve } = await books()
  const yen = await open(organization, { currency: 'JPY' })
  for (const body of [move(cash, reserve, 1, 'JPY'), move(cash, yen, 1), move(cash, yen, 1, 'JPY')])
    t.match(await transfer(owner, body), { status: 422, body: { code: 'currency_mismatch' } })
})

t.test('a normal account is never negative, and a refused transfer leaves its key free', async t => {
  const { owner, bank, cash, reserve } = await books()
  const key = randomUUID()
  const body = move(cash, reserve, 1_001)
  t.match(await transfer(owner, body, key), { status: 409, body: { code: 'insufficient_funds' } })
  await transfer(platformAdmin, move(bank, cash, 1))
  t.equal((await transfer(owner, body, key)).status, 201)
})

t.test('an account of another organization does not exist; two of one’s own are not mixed', async t => {
  const [ours, theirs] = [await books(), await books()]
  for (const body of [
    move(ours.cash, theirs.cash, 1),
    move(theirs.cash, ours.cash, 1),
    move(ours.cash, randomUUID(), 1),
  ])
    t.equal((await transfer(ours.owner, body)).status, 404)
  t.equal((await call(app, `GET /accounts/${theirs.cash}/entries`, { as: ours.owner })).status, 404)
  t.match(await transfer(platformAdmin, move(ours.cash, theirs.cash, 1)), {
    status: 422,
    body: { errors: [{ pointer: '#/toAccountId' }] },
  })
  t.equal((await transfer(ours.owner, move(ours.cash, ours.cash.toUpperCase(), 1))).status, 422)
})

t.test('admins move money, members and viewers only see it; a system account is for the platform alone', async t => {
  const { owner, admin, member, viewer, organization, bank, cash, reserve } = await books()
  for (const as of [member, viewer]) t.equal((await transfer(as, move(cash, reserve, 1))).status, 403)
  t.equal((await transfer(admin, move(cash, reserve, 1))).status, 201)
  t.equal((await call(app, `GET /accounts/${cash}`, { as: viewer })).status, 200)
  for (const body of [move(bank, cash, 1), move(cash, bank, 1)])
    t.match(await transfer(owner, body), { status: 403, body: { code: 'forbidden' } })
  const path = `POST /organizations/${organization.id}/accounts`
  t.equal((await call(app, path, { as: owner, body: { currency: 'USD', kind: 'system' } })).status, 403)
  t.match(await call(app, path, { as: platformAdmin, body: { currency: 'EUR', kind: 'system' } }), {
    status: 409,
    body: { code: 'system_account_exists' },
  })
  const key = await createKey(test, organization.id, 'ledger:write')
  t.match(await transfer(key, move(cash, reserve, 1)), { status: 201, body: { createdBy: null } })
  t.equal((await transfer(key, move(bank, cash, 1))).status, 403)
})

t.test('a key is required; the same request again gets the same bytes, another one is refused', async t => {
  const { owner, cash, reserve } = await books()
  const body = move(cash, reserve, 10)
  const without = await call(app, 'POST /transfers', { as: owner, body })
  t.match(without, { status: 400, body: { code: 'idempotency_key_required' } })
  const key = randomUUID()
  const [first, again] = [await transfer(owner, body, key), await transfer(owner, body, key)]
  t.equal(again.text, first.text)
  t.match(again, {
    status: 201,
    headers: { 'idempotent-replayed': 'true', 'cache-control': 'no-store', location: first.headers.location },
  })
  t.match(await transfer(owner, move(cash, reserve, 11), key), { body: { code: 'idempotency_key_reused' } })
  t.equal(await balanceOf(reserve), 10)
})

t.test('the same transfer twenty times at once has one effect', async t => {
  const { owner, cash, reserve } = await books()
  const key = randomUUID()
  const answers = await Promise.all(Array.from({ length: 20 }, () => transfer(owner, move(cash, reserve, 10), key)))
  t.same(
    answers.filter(({ status }) => status !== 201 && status !== 409),
    [],
  )
  t.equal(await balanceOf(reserve), 10)
})

t.test('a transfer is reversed once, also when asked twice at once; the original stays as it was', async t => {
  const { owner, cash, reserve } = await books()
  const { body: made } = await transfer(owner, move(cash, reserve, 100))
  const answers = await Promise.all([reverse(owner, made.id), reverse(owner, made.id)])
  t.same(answers.map(({ status }) => status).sort(), [201, 409])
  const [done, refused] = answers[0]?.status === 201 ? answers : [...answers].reverse()
  t.match(done?.body, { ...move(reserve, cash, 100), reversesId: made.id })
  t.match(refused?.body, { code: 'transfer_reversed' })
  t.match(await call(app, `GET /transfers/${made.id}`, { as: owner }), {
    body: { ...made, updatedAt: done?.body.createdAt },
    headers: { etag: '"2"' },
  })
  t.equal(await balanceOf(cash), 1_000)
  t.equal((await reverse(owner, done?.body.id)).status, 201, 'a reversal is a transfer like any other')
})

t.test('a transfer whose amount has gone elsewhere is not reversed', async t => {
  const { owner, organization, cash, reserve } = await books()
  const { body: made } = await transfer(owner, move(cash, reserve, 100))
  await transfer(owner, move(reserve, await open(organization), 1))
  t.match(await reverse(owner, made.id), { status: 409, body: { code: 'insufficient_funds' } })
  t.same([await balanceOf(cash), await balanceOf(reserve)], [900, 99])
})

t.test('the database refuses to change or delete entries and transfers, and to delete accounts', async t => {
  const { cash } = await books()
  for (const text of [
    'update entries set amount_cents = 1',
    'delete from entries',
    'truncate entries',
    'update transfers set amount_cents = 1',
    'delete from transfers',
    `delete from accounts where id = '${cash}'`,
    'truncate accounts',
  ])
    await t.rejects(sql(text), { code: '23001' }, text)
  await t.rejects(sql('update accounts set balance_cents = -1 where id = $1', [cash]), { code: '23514' })
})

t.test('32 callers over few accounts: no deadlock, and nothing is lost or made', async t => {
  const { owner, organization, cash } = await books({ cents: 100 })
  const all = [cash, ...(await Promise.all(Array.from({ length: 4 }, () => open(organization))))]
  const statuses = new Map<string, number>()
  const work = async (seed: number) => {
    for (let n = 0; n < 12; n++) {
      const [from, to] = [(seed + n) % all.length, (seed * 3 + n * 2 + 1) % all.length]
      if (from === to) continue
      const { status, body } = await transfer(
        owner,
        move(all[from] as string, all[to] as string, 1 + ((seed + n) % 40)),
      )
      const key = `${status} ${body.code ?? ''}`.trim()
      statuses.set(key, (statuses.get(key) ?? 0) + 1)
    }
  }
  await Promise.all(Array.from({ length: 32 }, (_, seed) => work(seed)))
  t.comment(Object.fromEntries(statuses))
  // 503: the pool may have no free connection for a second on a busy machine.
  t.same(
    [...statuses.keys()].filter(key => !['201', '409 insufficient_funds', '503 overloaded'].includes(key)),
    [],
  )
  const balances = await Promise.all(all.map(balanceOf))
  t.equal(
    balances.reduce((sum, balance) => sum + balance, 0),
    100,
  )
})

t.test('the books stay when their organization is deleted, and nobody reaches them', async t => {
  const { owner, organization, cash } = await books()
  t.equal((await call(app, `DELETE /organizations/${organization.id}`, { as: owner })).status, 202)
  t.equal((await call(app, `GET /accounts/${cash}`, { as: owner })).status, 404)
  t.equal(await balanceOf(cash), 1_000)
})

t.test('after all that, each balance is the sum of its entries, and entries and balances add up to zero', async t => {
  const [{ faults }] = await sql(`select count(*)::int as faults from accounts a where
    a.balance_cents <> (select coalesce(sum(e.amount_cents), 0) from entries e where e.account_id = a.id)
    or (a.kind = 'normal' and a.balance_cents < 0)`)
  t.equal(faults, 0, 'every balance is the sum of its entries, and none is negative')
  const [{ sum }] = await sql('select coalesce(sum(balance_cents), 0)::text as sum from accounts')
  t.equal(sum, '0', 'all balances add up to zero')
  t.same(await sql('select transfer_id from entries group by 1 having sum(amount_cents) <> 0 or count(*) <> 2'), [])
})
