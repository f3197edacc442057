import t from 'tap'
import { afterDays } from '../../../../src/domains/billing/subscriptions/service/periods.ts'
import { advance } from '../../../../src/domains/billing/subscriptions/service/renewal.ts'
import { seeded } from '../../../faults/random.ts'
import { anotherNode, testApp } from '../../../helpers/app.ts'
import { awaitMail, eventually } from '../../../helpers/mail.ts'
import { openSubscriber } from './subscriber.ts'

const test = await testApp(t)
const { app, sql } = test
const declined = { paymentMethod: 'pm_sandbox_declined' }

t.test('a charge that fails is repeated after 1, 3, 5 and 7 days, and then it is over', async t => {
  const { start, settle, runUntil, read, events } = await openSubscriber(test)
  const { id, periodStart, latestInvoiceId } = await start(declined)
  await settle()
  const charges = async () =>
    (await sql('select count(*)::int as n from payments where invoice_id = $1', [latestInvoiceId]))[0].n
  let now = afterDays(periodStart, 0.01)
  await runUntil(now)
  for (const [at, days] of [1, 3, 5, 7].entries()) {
    t.match(await read(id), { status: 'past_due', failedCharges: at + 1, nextAt: afterDays(now, days) })
    await runUntil(afterDays(now, days - 0.01))
    t.equal(await charges(), at + 1, 'not before')
    now = afterDays(now, days)
    await runUntil(now)
    t.equal(await charges(), at + 2, `again after ${days} days`)
  }
  t.match(await read(id), { status: 'canceled', canceledAt: now, nextAt: null, failedCharges: 5 })
  t.same(await events(id), ['subscription.created', 'subscription.past_due', 'subscription.canceled'])
  await runUntil(afterDays(now, 100))
  t.equal(await charges(), 5)
})

t.test('while a charge is repeated no period begins; when it is paid those that were missed follow', async t => {
  const { start, settle, runUntil, read, send, priceOf, invoices, events } = await openSubscriber(test)
  const { id, periodStart } = await start({ ...declined, priceId: priceOf('day') })
  await settle()
  await runUntil(afterDays(periodStart, 0.5))
  await runUntil(afterDays(periodStart, 1.2))
  t.equal((await invoices(id)).length, 1)
  await send(`PATCH /subscriptions/${id}`, { paymentMethod: 'pm_sandbox_success' })
  await runUntil(afterDays(periodStart, 1.4))
  t.equal((await read(id)).status, 'past_due', 'not before it is repeated')
  await runUntil(afterDays(periodStart, 5))
  t.match(await read(id), { status: 'active', failedCharges: 0, periodEnd: afterDays(periodStart, 6) })
  const rows = await invoices(id)
  t.same([rows.length, rows.every((row: { status: string }) => row.status === 'paid')], [6, true])
  t.ok((await events(id)).includes('subscription.recovered'))
})

t.test('an unpaid subscription waits until its invoice is paid, and then begins anew', async t => {
  const { start, settle, runUntil, read, send, invoices } = await openSubscriber(test, 'unpaid')
  const { id, periodStart, latestInvoiceId } = await start(declined)
  await settle()
  for (const day of [0.1, 1.2, 4.3, 9.4, 16.5]) await runUntil(afterDays(periodStart, day))
  t.match(await read(id), { status: 'unpaid', nextAt: null })
  await runUntil(afterDays(periodStart, 100))
  t.equal((await invoices(id)).length, 1)
  await send(`PATCH /subscriptions/${id}`, { paymentMethod: 'pm_sandbox_success' })
  await send(`POST /invoices/${latestInvoiceId}/pay`)
  await settle()
  const now = afterDays(periodStart, 200)
  await runUntil(now)
  t.match(await read(id), { status: 'active', failedCharges: 0, periodStart: now })
  t.equal((await invoices(id)).length, 2)
})

t.test('of many who renew at once, and are killed, each period is invoiced and charged once', async t => {
  const { start, settle, priceOf, invoices } = await openSubscriber(test)
  const node = await anotherNode(t, test)
  const { below, pick } = seeded(t)
  const { id, periodStart } = await start({ priceId: priceOf('day') })
  await settle()
  const now = afterDays(periodStart, 10)
  const step = (on: typeof app, isKilled: boolean) =>
    on.database.transaction(async tx => {
      await advance(on, tx, id, now, 'canceled')
      if (isKilled) await tx.execute('select pg_terminate_backend(pg_backend_pid())')
    })
  const isComplete = async () => (await invoices(id)).length >= 11
  for (let round = 0; round < 20 && !(await isComplete()); round++)
    await Promise.allSettled(Array.from({ length: 6 }, () => step(pick([app, node]), below(3) === 0)))
  await eventually(async () => {
    await step(app, false).catch(() => {})
    return isComplete()
  }, 'every period has begun')
  await Promise.all(Array.from({ length: 6 }, () => step(app, false)))
  await settle()
  const rows = await invoices(id)
  t.same(
    rows.map((row: { starts_at: string }) => new Date(row.starts_at).toISOString()),
    Array.from({ length: 11 }, (_, day) => afterDays(periodStart, day)),
  )
  const ids = rows.map((row: { id: string }) => row.id)
  const paid = await sql(
    `select invoice_id, count(*)::int as n from payments where invoice_id = any($1) and status = 'succeeded' group by 1`,
    [ids],
  )
  t.ok(paid.length === 11 && paid.every(({ n }: { n: number }) => n === 1))
})

t.test('the job renews what is due, and tells of a charge that has failed', async t => {
  const working = await testApp(t, { works: true })
  const { start, read } = await openSubscriber(working)
  const renewed = await start()
  const failing = await start({ ...declined, customerEmail: 'payer@example.com' })
  await working.sql(
    `update subscriptions set next_at = now() - interval '1 second', period_end = now() - interval '1 second'
    where id = $1`,
    [renewed.id],
  )
  const renew = () =>
    working.sql(`insert into jobs.job (name, data) values ('subscriptions.renew_due', '{"payload":{}}')`)
  await eventually(async () => {
    await renew()
    return (
      (await read(failing.id)).status === 'past_due' && (await read(renewed.id)).periodStart !== renewed.periodStart
    )
  }, 'both are done')
  t.match((await awaitMail(working, 'payer@example.com')).text, /will be repeated on \d{4}-\d\d-\d\d/)
})
