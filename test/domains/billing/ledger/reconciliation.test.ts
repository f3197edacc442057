import t from 'tap'
import { reconcileBooks } from '../../../../src/domains/billing/ledger/service/reconciliation.ts'
import { newId } from '../../../../src/lib/ids.ts'
import { testApp } from '../../../helpers/app.ts'
import { awaitMail, mailsTo } from '../../../helpers/mail.ts'
import { bookkeeping, faultsOf, move } from './books.ts'

const test = await testApp(t, { works: true })
const { app, sql } = test
const { books, transfer, post, platformAdmin } = await bookkeeping(test)

const found = async () => (await reconcileBooks(app)).map(({ type, data }) => `${type.name} ${data.id}`)
const eventOf = async (id: string, type: string) =>
  (await sql('select data, organization_id from events where target_id = $1 and type = $2', [id, type]))[0]

t.test(
  'reconciliation finds nothing in true books, with transfers, holds and 3,000 entries of one account',
  async t => {
    const { owner, bank, cash, reserve } = await books({ cents: 1_000_000 })
    t.equal((await transfer(owner, move(cash, reserve, 250))).status, 201)
    t.equal((await post(`/accounts/${cash}/holds`, owner, { amountCents: 100 })).status, 201)
    await manyEntries(bank, cash, 3_000)
    t.same(await faultsOf(test), [])
    t.same(await found(), [])
    t.same(await mailsTo(test, platformAdmin.email), [])
  },
)

t.test('each kind of difference is found, is an event of its organization, and a mail to each admin', async t => {
  const { id, owner, cash, reserve, bank } = await books()
  const { body: made } = await transfer(owner, move(cash, reserve, 250))
  await sql('update accounts set balance_cents = 751 where id = $1', [cash])
  t.same(await found(), [`account.unbalanced ${cash}`], 'a balance without an entry')
  t.match(await eventOf(cash, 'account.unbalanced'), {
    organization_id: id,
    data: { balanceCents: 751, entriesCents: 750, entryCount: 2, entriesCount: 2 },
  })
  t.match(await awaitMail(test, platformAdmin.email), {
    subject: 'The books do not agree',
    text: new RegExp(`Differences in the books: 1\\n[^]*account ${cash}: balance 751, entries 750`),
  })
  await sql('update accounts set balance_cents = 750, held_cents = 5 where id = $1', [cash])
  t.same(await found(), [`account.unbalanced ${cash}`], 'something held without a hold')
  await sql('update accounts set held_cents = 0, entry_count = 3 where id = $1', [cash])
  t.same(await found(), [`account.unbalanced ${cash}`], 'a number that no entry has')
  await sql('update accounts set entry_count = 2 where id = $1', [cash])

  const lonely = newId()
  const insert =
    'insert into entries (account_id, seq, transfer_id, amount_cents, balance_cents) values ($1, $2, $3, $4, 0)'
  await sql(insert, [cash, 3, lonely, 7])
  t.same(await found(), [`account.unbalanced ${cash}`, `transfer.unbalanced ${lonely}`], 'an entry without a transfer')
  await sql('update accounts set entry_count = 3, balance_cents = 757 where id = $1', [cash])
  await sql(insert, [reserve, 2, made.id, 1])
  await sql('update accounts set entry_count = 2, balance_cents = 251 where id = $1', [reserve])
  t.same(
    (await found()).sort(),
    [`transfer.unbalanced ${lonely}`, `transfer.unbalanced ${made.id}`].sort(),
    'a third entry',
  )
  t.match(await eventOf(made.id, 'transfer.unbalanced'), {
    organization_id: id,
    data: { entriesCents: 1, entriesCount: 3 },
  })

  await manyEntries(bank, cash, 3_000)
  const { length } = await found()
  await sql('update accounts set balance_cents = balance_cents + 1 where id = $1', [cash])
  t.equal((await found()).length, length + 1, 'a balance with too many entries to be added at once')
})

/** Writes transfers of one cent by SQL, because they are many. */
async function manyEntries(from: string, to: string, n: number): Promise<void> {
  await sql(
    `with made as (insert into transfers (id, organization_id, from_account_id, to_account_id, amount_cents, currency)
        select gen_random_uuid(), organization_id, $1, $2, 1, 'EUR' from accounts, generate_series(1, $3::int) where id = $1
        returning id),
      numbered as (select id, row_number() over () as n from made)
    insert into entries (account_id, seq, transfer_id, amount_cents, balance_cents)
    select a.id, a.entry_count + m.n, m.id, d.amount, a.balance_cents + m.n * d.amount
    from numbered m, (values ($1::uuid, -1), ($2::uuid, 1)) d(id, amount) join accounts a on a.id = d.id`,
    [from, to, n],
  )
  await sql(
    `update accounts set entry_count = entry_count + $3::int,
      balance_cents = balance_cents + case when id = $1 then -$3::int else $3::int end where id in ($1, $2)`,
    [from, to, n],
  )
}
