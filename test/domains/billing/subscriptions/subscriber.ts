import { chargePayment } from '../../../../src/domains/billing/payments/service/settlement.ts'
import { findDueSubscriptions } from '../../../../src/domains/billing/subscriptions/queries.ts'
import { advance, type LastResort } from '../../../../src/domains/billing/subscriptions/service/renewal.ts'
import { createOrganization, createUser } from '../../../helpers/actors.ts'
import type { TestApp } from '../../../helpers/app.ts'
import { call } from '../../../helpers/call.ts'

const MOST = 1_000
const prices = [
  { currency: 'EUR', amountCents: 3_000, interval: 'month' },
  { currency: 'EUR', amountCents: 30_000, interval: 'year' },
  { currency: 'EUR', amountCents: 100, interval: 'day' },
  { currency: 'USD', amountCents: 3_500, interval: 'month' },
]

/** An organization that subscribes to a plan of 30.00 EUR a month. Time is what `runUntil` says. */
export async function openSubscriber(test: TestApp, lastResort: LastResort = 'canceled') {
  const { app, sql } = test
  const organization = await createOrganization(test)
  const admin = await createUser(test, { role: 'admin' })
  const createPlan = async (more = {}) =>
    (await call(app, 'POST /products', { as: admin, body: { name: 'Plan', taxBasisPoints: 0, prices, ...more } })).body
  const plan = await createPlan()
  const priceOf = (interval: string, currency = 'EUR', of = plan) =>
    of.prices.find((price: (typeof prices)[number]) => price.interval === interval && price.currency === currency).id
  const send = (path: string, body?: unknown, as = organization.admin) =>
    call(app, path, {
      as,
      headers: { 'idempotency-key': crypto.randomUUID() },
      ...(body === undefined ? {} : { body }),
    })

  /** Has the sandbox decide on every payment that is open. */
  async function settle(): Promise<void> {
    const open = await sql(`select id from payments where organization_id = $1 and status = 'processing'`, [
      organization.id,
    ])
    for (const { id } of open) await chargePayment(app, id)
  }

  /** Does all that is due at a time, as the job does; returns how many steps there were. */
  async function runUntil(now: string): Promise<number> {
    for (let steps = 0; ; ) {
      const due = await findDueSubscriptions(app.database, { now, limit: MOST })
      if (due.length === 0) return steps
      for (const { id } of due) {
        await app.database.transaction(tx => advance(app, tx, id, now, lastResort))
        steps++
      }
      await settle()
    }
  }

  return {
    organization,
    plan,
    createPlan,
    priceOf,
    send,
    settle,
    runUntil,
    start: async (more = {}) =>
      (await send(`POST /organizations/${organization.id}/subscriptions`, { productId: plan.id, ...more })).body,
    read: async (id: string) => (await call(app, `GET /subscriptions/${id}`, { as: organization.viewer })).body,
    /** Its invoices, the oldest first. */
    invoices: (id: string) =>
      sql(
        `select i.* , s.starts_at from subscription_invoices s join invoices i on i.id = s.invoice_id
          where s.subscription_id = $1 order by i.number`,
        [id],
      ),
    events: async (id: string): Promise<string[]> =>
      (await sql('select type from events where target_id = $1 order by position, seq', [id])).map(
        ({ type }: { type: string }) => type,
      ),
  }
}
