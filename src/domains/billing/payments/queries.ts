import { eq, sql } from 'drizzle-orm'
import { defineList } from '../../../database/list.ts'
import { one, type Params, statement } from '../../../database/statement.ts'
import { transfers } from '../ledger/tables.ts'
import { Payment, type Refund } from './schemas.ts'
import { payments, refunds, stripeEvents } from './tables.ts'

export type PaymentRow = Payment & { version: number; reference: string | null }
export type RefundRow = Refund & { version: number }

interface NewPayment {
  id: string
  organizationId: string
  orderId: string | null
  invoiceId: string | null
  amountCents: number
  currency: string
  provider: string
  paymentMethod: string
  createdBy: string | null
}

export const insertPayment = one(
  statement(
    'payments.insert',
    (_, $: Params<NewPayment>) => sql<PaymentRow>`
      insert into ${payments} (id, organization_id, order_id, invoice_id, amount_cents, currency, provider, payment_method,
        created_by)
      values (${$.id}, ${$.organizationId}, ${$.orderId}, ${$.invoiceId}, ${$.amountCents}, ${$.currency},
        ${$.provider}, ${$.paymentMethod}, ${$.createdBy})
      returning *`,
  ),
)

export const findPayment = one(
  statement(
    'payments.find',
    (_, $: Params<{ id: string }>) => sql<PaymentRow>`select * from ${payments} where id = ${$.id}`,
  ),
)

/** Keeps the provider's name of a payment, which never changes. */
export const setReference = statement(
  'payments.set_reference',
  (_, $: Params<{ id: string; reference: string }>) => sql`
    update ${payments} set reference = ${$.reference} where id = ${$.id} and reference is null`,
)

type Settled = { id: string; status: string; failureCode: string | null; actionUrl: string | null }

/** Changes a payment that is not settled; returns undefined when it is, or is as told already. */
export const settlePaymentRow = one(
  statement(
    'payments.settle',
    (_, $: Params<Settled>) => sql<PaymentRow>`
      update ${payments} set status = ${$.status}, failure_code = ${$.failureCode}, action_url = ${$.actionUrl},
        version = version + 1, updated_at = now()
      where id = ${$.id} and status in ('processing', 'requires_action') and status <> ${$.status} returning *`,
  ),
)

type Reservation = { id: string; amountCents: number | null }

/** Reserves an amount for a refund, or with null all that is left; returns undefined when not so much is left. */
export const reserveRefund = one(
  statement(
    'payments.reserve_refund',
    (_, $: Params<Reservation>) => sql<{ organizationId: string; amountCents: number }>`
      update ${payments} p
      set refunded_cents = p.refunded_cents + w.amount, version = p.version + 1, updated_at = now()
      from (select id, amount_cents - refunded_cents as left_cents from ${payments} where id = ${$.id} for update) l,
        lateral (select coalesce(${$.amountCents}::bigint, l.left_cents) as amount) w
      where p.id = l.id and p.status = 'succeeded' and w.amount between 1 and l.left_cents
      returning p.organization_id, w.amount as amount_cents`,
  ),
)

/** Gives back what a failed refund had reserved. */
export const returnReservation = statement(
  'payments.return_reservation',
  (_, $: Params<{ id: string; amountCents: number }>) => sql`
    update ${payments} set refunded_cents = refunded_cents - ${$.amountCents}::bigint, version = version + 1,
      updated_at = now()
    where id = ${$.id}`,
)

type NewRefund = { id: string; organizationId: string; paymentId: string; amountCents: number }

export const insertRefund = one(
  statement(
    'refunds.insert',
    (_, $: Params<NewRefund>) => sql<RefundRow>`
      insert into ${refunds} (id, organization_id, payment_id, amount_cents)
      values (${$.id}, ${$.organizationId}, ${$.paymentId}, ${$.amountCents}) returning *`,
  ),
)

export const findRefund = one(
  statement(
    'refunds.find',
    (_, $: Params<{ id: string }>) => sql<RefundRow & { reference: string | null; provider: string }>`
      select r.*, p.reference, p.provider from ${refunds} r join ${payments} p on p.id = r.payment_id where r.id = ${$.id}`,
  ),
)

export const settleRefundRow = one(
  statement(
    'refunds.settle',
    (_, $: Params<{ id: string; status: string }>) => sql<RefundRow>`
      update ${refunds} set status = ${$.status}, version = version + 1, updated_at = now()
      where id = ${$.id} and status = 'processing' returning *`,
  ),
)

/** Whether all of a payment is paid back, and its currency. */
export const findRefunded = one(
  statement(
    'payments.refunded',
    (_, $: Params<{ id: string }>) => sql<{ orderId: string | null; currency: string; whole: boolean }>`
      select order_id, currency, amount_cents = (
        select coalesce(sum(amount_cents), 0) from ${refunds} where payment_id = p.id and status = 'succeeded') as whole
      from ${payments} p where id = ${$.id}`,
  ),
)

/** Payments and refunds at a provider of which nothing was heard for a minute. */
export const findOpenPayments = statement(
  'payments.open',
  (_, $: Params<{ provider: string }>) => sql<{ id: string }>`
    select id from ${payments}
    where status in ('processing', 'requires_action') and updated_at < now() - interval '1 minute'
      and provider = ${$.provider}
    order by updated_at limit 1000`,
)
export const findOpenRefunds = statement(
  'refunds.open',
  (_, $: Params<{ provider: string }>) => sql<{ id: string }>`
    select r.id from ${refunds} r join ${payments} p on p.id = r.payment_id
    where r.status = 'processing' and r.updated_at < now() - interval '1 minute' and p.provider = ${$.provider}
    order by r.updated_at limit 1000`,
)

/** A payment that has ended, with what was refunded and what the ledger has of it. */
export interface EndedPayment {
  id: string
  organizationId: string
  currency: string
  status: string
  provider: string
  reference: string | null
  amountCents: number
  /** With what is being refunded. */
  refundedCents: number
  refundsCents: number
  postedCents: number
  postedFeesCents: number
  postedRefundsCents: number
  updatedAt: string
}

type Place = { updatedAt: string; id: string; until: string; limit: number }

const posted = (source: 'payment' | 'fee') => sql`(
        select coalesce(sum(amount_cents), 0)::bigint from ${transfers}
        where source_id = p.id and source = ${sql.raw(`'${source}'`)})`

export const findEndedPayments = statement(
  'payments.ended',
  (_, $: Params<Place>) => sql<EndedPayment>`
    select p.id, p.organization_id, p.currency, p.status, p.provider, p.reference, p.amount_cents, p.refunded_cents,
      r.amount as refunds_cents, ${posted('payment')} as posted_cents, ${posted('fee')} as posted_fees_cents,
      r.posted as posted_refunds_cents, p.updated_at
    from ${payments} p cross join lateral (
      select coalesce(sum(f.amount_cents) filter (where f.status = 'succeeded'), 0)::bigint as amount,
        coalesce(sum(t.amount_cents), 0)::bigint as posted
      from ${refunds} f left join ${transfers} t on t.source_id = f.id and t.source = 'refund'
      where f.payment_id = p.id) r
    where p.status in ('succeeded', 'failed') and (p.updated_at, p.id) > (${$.updatedAt}::timestamptz, ${$.id}::uuid)
      and p.updated_at < ${$.until}::timestamptz
    order by p.updated_at, p.id limit ${$.limit}`,
)

/** Keeps an event; returns nothing when it is known already. */
export const insertStripeEvent = one(
  statement(
    'stripe_events.insert',
    (_, $: Params<{ id: string; type: string; reference: string | null }>) => sql<{ id: string }>`
      insert into ${stripeEvents} (id, type, reference) values (${$.id}, ${$.type}, ${$.reference})
      on conflict do nothing returning id`,
  ),
)

/** Marks an event as applied; returns nothing when it was. */
export const applyStripeEvent = one(
  statement(
    'stripe_events.apply',
    (_, $: Params<{ id: string }>) => sql<{ reference: string | null }>`
      update ${stripeEvents} set applied_at = now() where id = ${$.id} and applied_at is null returning reference`,
  ),
)

/** The payment of a reference, where it is open, and its refunds that are. */
export const findOpenOf = statement(
  'payments.open_of',
  (_, $: Params<{ reference: string }>) => sql<{ kind: string; id: string }>`
    select 'payment' as kind, id from ${payments}
      where reference = ${$.reference} and status in ('processing', 'requires_action')
    union all
    select 'refund', r.id from ${refunds} r join ${payments} p on p.id = r.payment_id
      where p.reference = ${$.reference} and r.status = 'processing'`,
)

const byId = { on: payments.id, key: 'id', type: 'uuid' } as const

export const listPayments = defineList<Payment, { organizationId: string }, { status?: string }>({
  name: 'payments.list',
  item: Payment,
  columns: sql`id, organization_id, order_id, invoice_id, status, amount_cents, refunded_cents, currency, provider,
    payment_method, failure_code, action_url, created_by, version, created_at, updated_at`,
  from: sql`${payments}`,
  where: $ => eq(payments.organizationId, $.organizationId),
  id: byId,
  sorts: { createdAt: byId },
  defaultSort: '-createdAt',
  filters: { status: $ => eq(payments.status, sql`${$.status}`) },
})
