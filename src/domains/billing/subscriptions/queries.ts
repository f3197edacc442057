import { eq, sql } from 'drizzle-orm'
import { defineList } from '../../../database/list.ts'
import { one, type Params, statement } from '../../../database/statement.ts'
import { invoices } from '../invoices/tables.ts'
import { prices, products } from '../products/tables.ts'
import { Subscription } from './schemas.ts'
import { subscriptionInvoices, subscriptions } from './tables.ts'

/** `anchorAt` and `cycle` give the end of each period; `carriedLines` are JSON of the lines of an invoice. */
export type SubscriptionRow = Subscription & {
  anchorAt: string
  cycle: number
  carriedLines: unknown
  version: number
}

export interface RecurringPrice {
  id: string
  productId: string
  name: string
  taxBasisPoints: number
  currency: string
  amountCents: number
  interval: 'day' | 'week' | 'month' | 'year'
  intervalCount: number
}

/** A recurring price, also one that is no longer offered. */
export const findRecurringPrice = one(
  statement(
    'subscriptions.price',
    (_, $: Params<{ id: string }>) => sql<RecurringPrice>`
      select c.id, c.product_id, p.name, p.tax_basis_points, c.currency, c.amount_cents,
        coalesce(c.interval, 'month') as interval, coalesce(c.interval_count, 1) as interval_count
      from ${prices} c join ${products} p on p.id = c.product_id where c.id = ${$.id} and c.interval is not null`,
  ),
)

/** The price of a product that is offered now: the given one, or with null the oldest that recurs. */
export const findOfferedPrice = one(
  statement(
    'subscriptions.offered_price',
    (_, $: Params<{ productId: string; priceId: string | null }>) => sql<RecurringPrice>`
      select c.id, c.product_id, p.name, p.tax_basis_points, c.currency, c.amount_cents,
        coalesce(c.interval, 'month') as interval, coalesce(c.interval_count, 1) as interval_count
      from ${prices} c join ${products} p on p.id = c.product_id
      where p.id = ${$.productId} and p.status = 'active' and c.interval is not null and c.archived_at is null
        and (${$.priceId}::uuid is null or c.id = ${$.priceId}::uuid)
      order by c.id limit 1`,
  ),
)

/** The time of the database, by which subscriptions are renewed. */
export const findNow = one(
  statement('subscriptions.now', () => sql<{ now: string }>`select now()::timestamptz(3) as now`),
)

export const findSubscription = one(
  statement(
    'subscriptions.find',
    (_, $: Params<{ id: string }>) => sql<SubscriptionRow>`select * from ${subscriptions} where id = ${$.id}`,
  ),
)

/** Locks the subscription until the commit. */
export const lockSubscription = one(
  statement(
    'subscriptions.lock',
    (_, $: Params<{ id: string }>) => sql<SubscriptionRow>`
      select * from ${subscriptions} where id = ${$.id} for no key update`,
  ),
)

interface NewSubscription {
  id: string
  organizationId: string
  productId: string
  priceId: string
  quantity: number
  status: string
  customerEmail: string
  paymentMethod: string | null
  anchorAt: string
  cycle: number
  periodStart: string
  periodEnd: string
  trialEndsAt: string | null
  latestInvoiceId: string | null
  createdBy: string | null
}

export const insertSubscription = one(
  statement(
    'subscriptions.insert',
    (_, $: Params<NewSubscription>) => sql<SubscriptionRow>`
      insert into ${subscriptions} (id, organization_id, product_id, price_id, quantity, status, customer_email,
        payment_method, anchor_at, cycle, period_start, period_end, trial_ends_at, next_at, latest_invoice_id,
        created_by)
      values (${$.id}, ${$.organizationId}, ${$.productId}, ${$.priceId}, ${$.quantity}, ${$.status}, ${$.customerEmail},
        ${$.paymentMethod}, ${$.anchorAt}, ${$.cycle}, ${$.periodStart}, ${$.periodEnd}, ${$.trialEndsAt},
        ${$.periodEnd}, ${$.latestInvoiceId}, ${$.createdBy})
      returning *`,
  ),
)

/** Everything of a subscription that changes. */
export type State = Omit<
  SubscriptionRow,
  'organizationId' | 'createdBy' | 'createdAt' | 'updatedAt' | 'version' | 'carriedLines'
> & { carriedLines: string }

/** Stores the state of a subscription that is locked. */
export const saveSubscription = one(
  statement(
    'subscriptions.save',
    (_, $: Params<State>) => sql<SubscriptionRow>`
      update ${subscriptions} set product_id = ${$.productId}, price_id = ${$.priceId}, quantity = ${$.quantity},
        status = ${$.status}, customer_email = ${$.customerEmail}, payment_method = ${$.paymentMethod},
        anchor_at = ${$.anchorAt}, cycle = ${$.cycle}, period_start = ${$.periodStart}, period_end = ${$.periodEnd},
        trial_ends_at = ${$.trialEndsAt}, next_at = ${$.nextAt}, cancel_at_period_end = ${$.cancelAtPeriodEnd},
        canceled_at = ${$.canceledAt}, paused_at = ${$.pausedAt}, next_product_id = ${$.nextProductId},
        next_price_id = ${$.nextPriceId}, next_quantity = ${$.nextQuantity}, carried_lines = ${$.carriedLines},
        failed_charges = ${$.failedCharges}, latest_invoice_id = ${$.latestInvoiceId}, version = version + 1,
        updated_at = now()
      where id = ${$.id} returning *`,
  ),
)

interface Charged {
  organizationId: string
  subscriptionId: string
  startsAt: string
  invoiceId: string
  isPeriod: boolean
}

export const insertSubscriptionInvoice = statement(
  'subscriptions.insert_invoice',
  (_, $: Params<Charged>) => sql`
    insert into ${subscriptionInvoices} (organization_id, subscription_id, starts_at, invoice_id, is_period)
    values (${$.organizationId}, ${$.subscriptionId}, ${$.startsAt}, ${$.invoiceId}, ${$.isPeriod})`,
)

/** The invoices that are not settled, the oldest first, and whether a payment of each is under way. */
export const findOpenInvoices = statement(
  'subscriptions.open_invoices',
  (_, $: Params<{ subscriptionId: string }>) => sql<{ invoiceId: string; isOpen: boolean; isBeingPaid: boolean }>`
    select s.invoice_id, i.status = 'open' as is_open, i.payment_id is not null as is_being_paid
    from ${subscriptionInvoices} s join ${invoices} i on i.id = s.invoice_id
    where s.subscription_id = ${$.subscriptionId} and not s.settled order by s.starts_at`,
)

export const settleInvoices = statement(
  'subscriptions.settle_invoices',
  (_, $: Params<{ subscriptionId: string; invoiceIds: string[] }>) => sql`
    update ${subscriptionInvoices} set settled = true
    where subscription_id = ${$.subscriptionId} and invoice_id = any(${$.invoiceIds}::uuid[])`,
)

type Due = { now: string; limit: number }

/** Subscriptions with something to do: a period to begin, a charge to repeat, or an invoice whose payment has ended. */
export const findDueSubscriptions = statement(
  'subscriptions.due',
  (_, $: Params<Due>) => sql<{ id: string }>`
    (select id from ${subscriptions} where next_at <= ${$.now}::timestamptz order by next_at limit ${$.limit})
    union
    (select s.subscription_id from ${subscriptionInvoices} s join ${invoices} i on i.id = s.invoice_id
      join ${subscriptions} u on u.id = s.subscription_id
      where not s.settled and (i.status <> 'open'
        or i.payment_id is null and u.status in ('trialing', 'active', 'past_due') and (u.status <> 'past_due' or u.next_at is null))
      limit ${$.limit})`,
)

const byId = { on: subscriptions.id, key: 'id', type: 'uuid' } as const

export const listSubscriptions = defineList<Subscription, { organizationId: string }, { status?: string }>({
  name: 'subscriptions.list',
  item: Subscription,
  columns: sql`id, organization_id, product_id, price_id, quantity, status, customer_email, payment_method, period_start,
    period_end, trial_ends_at, next_at, cancel_at_period_end, canceled_at, paused_at, next_product_id, next_price_id,
    next_quantity, failed_charges, latest_invoice_id, created_by, version, created_at, updated_at`,
  from: sql`${subscriptions}`,
  where: $ => eq(subscriptions.organizationId, $.organizationId),
  id: byId,
  sorts: { createdAt: byId },
  defaultSort: '-createdAt',
  filters: { status: $ => eq(subscriptions.status, sql`${$.status}`) },
})
