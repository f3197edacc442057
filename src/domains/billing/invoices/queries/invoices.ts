import { and, eq, type SQL, sql } from 'drizzle-orm'
import { defineList } from '../../../../database/list.ts'
import { one, type Params, statement } from '../../../../database/statement.ts'
import { versionMatches } from '../../../../database/versions.ts'
import { Invoice } from '../schemas.ts'
import { invoiceNumbers, invoices } from '../tables.ts'

export type InvoiceRow = Invoice & { version: number }

export const findInvoice = one(
  statement(
    'invoices.find',
    (_, $: Params<{ id: string }>) => sql<InvoiceRow>`select * from ${invoices} where id = ${$.id}`,
  ),
)

/** Locks the invoice until the commit. */
export const lockInvoice = one(
  statement(
    'invoices.lock',
    (_, $: Params<{ id: string }>) => sql<InvoiceRow>`select * from ${invoices} where id = ${$.id} for no key update`,
  ),
)

/** What a draft says; `lines` and `taxes` are JSON. */
export interface Content {
  customerName: string
  customerEmail: string
  customerAddress: string | null
  currency: string
  lines: string
  taxes: string
  subtotalCents: number
  taxCents: number
  totalCents: number
  dueDays: number
}

type NewInvoice = Content & { id: string; organizationId: string; createdBy: string | null }

export const insertInvoice = one(
  statement(
    'invoices.insert',
    (_, $: Params<NewInvoice>) => sql<InvoiceRow>`
      insert into ${invoices} (id, organization_id, customer_name, customer_email, customer_address, currency, lines, taxes,
        subtotal_cents, tax_cents, total_cents, due_days, created_by)
      values (${$.id}, ${$.organizationId}, ${$.customerName}, ${$.customerEmail}, ${$.customerAddress}, ${$.currency},
        ${$.lines}, ${$.taxes}, ${$.subtotalCents}, ${$.taxCents}, ${$.totalCents}, ${$.dueDays}, ${$.createdBy})
      returning *`,
  ),
)

export const updateDraftRow = one(
  statement(
    'invoices.update',
    (_, $: Params<Content & { id: string }>) => sql<InvoiceRow>`
      update ${invoices} set customer_name = ${$.customerName}, customer_email = ${$.customerEmail},
        customer_address = ${$.customerAddress}, currency = ${$.currency}, lines = ${$.lines}, taxes = ${$.taxes},
        subtotal_cents = ${$.subtotalCents}, tax_cents = ${$.taxCents}, total_cents = ${$.totalCents},
        due_days = ${$.dueDays}, version = version + 1, updated_at = now()
      where id = ${$.id} and status = 'draft' returning *`,
  ),
)

type Conditional = { id: string; ifMatch: number[] | null }
type Paid = { id: string; paymentId: string }

const at = ($: Params<Conditional>) => and(eq(invoices.id, $.id), versionMatches(invoices.version, $.ifMatch))

export const deleteDraftRow = one(
  statement(
    'invoices.delete',
    (_, $: Params<Conditional>) => sql<InvoiceRow>`
      delete from ${invoices} where ${at($)} and status = 'draft' returning *`,
  ),
)

/**
 * Issues a draft with the next number of its organization; an invoice over nothing is paid at once. The number is kept
 * from others until the commit, and a rollback gives it back, so there are no gaps.
 */
export const issueDraftRow = one(
  statement(
    'invoices.issue',
    (_, $: Params<Conditional>) => sql<InvoiceRow>`
      with draft as (select id, organization_id from ${invoices} where ${at($)} and status = 'draft' for no key update),
      numbered as (
        insert into ${invoiceNumbers} as n (organization_id, last_invoice) select organization_id, 1 from draft
        on conflict (organization_id) do update set last_invoice = n.last_invoice + 1 returning last_invoice)
      update ${invoices} i set number = n.last_invoice, issued_at = now(),
        due_at = now() + make_interval(days => i.due_days),
        status = case when i.total_cents = 0 then 'paid' else 'open' end,
        paid_at = case when i.total_cents = 0 then now() end, version = i.version + 1, updated_at = now()
      from draft d, numbered n where i.id = d.id returning i.*`,
  ),
)

/** One transition: nothing is changed unless the row is as `from` says. */
const transition = <Input extends { id: string }>(
  name: string,
  set: ($: Params<Input>) => SQL,
  from: ($: Params<Input>) => SQL | undefined,
) =>
  one(
    statement(
      name,
      (_, $: Params<Input>) => sql<InvoiceRow>`
        update ${invoices} set ${set($)}, version = version + 1, updated_at = now()
        where ${and(eq(invoices.id, $.id), from($))} returning *`,
    ),
  )

const owed = sql`status in ('open', 'uncollectible')`
const free = ($: Params<Conditional>) =>
  sql`${owed} and payment_id is null and ${versionMatches(invoices.version, $.ifMatch)}`
const boundTo = ($: Params<Paid>) => sql`${owed} and payment_id = ${$.paymentId}`

export const voidInvoiceRow = transition<Conditional>('invoices.void', () => sql`status = 'void'`, free)
export const writeOffInvoiceRow = transition<Conditional>(
  'invoices.write_off',
  () => sql`status = 'uncollectible'`,
  $ => sql`status = 'open' and ${free($)}`,
)
export const markInvoiceSent = transition<Conditional>(
  'invoices.sent',
  () => sql`sent_at = now()`,
  $ => sql`status <> 'draft' and ${versionMatches(invoices.version, $.ifMatch)}`,
)

/** Binds the invoice to a payment, so that no other pays it and nobody voids it. */
export const claimInvoice = transition<Paid & Conditional>(
  'invoices.claim',
  $ => sql`payment_id = ${$.paymentId}`,
  free,
)
/** Unbinds the invoice from a payment that has failed. */
export const releaseInvoiceRow = transition<Paid>('invoices.release', () => sql`payment_id = null`, boundTo)
export const payInvoiceRow = transition<Paid>('invoices.pay', () => sql`status = 'paid', paid_at = now()`, boundTo)

/** Credits a part; an invoice that is credited wholly before it is paid is void. */
export const creditInvoiceRow = transition<{ id: string; amountCents: number }>(
  'invoices.credit',
  $ => sql`credited_cents = credited_cents + ${$.amountCents}::bigint,
    status = case when status <> 'paid' and credited_cents + ${$.amountCents}::bigint = total_cents then 'void'
      else status end`,
  $ => sql`(status = 'paid' or ${owed} and payment_id is null)
    and credited_cents + ${$.amountCents}::bigint <= total_cents`,
)

const byId = { on: invoices.id, key: 'id', type: 'uuid' } as const

export const listInvoices = defineList<Invoice, { organizationId: string }, { status?: string }>({
  name: 'invoices.list',
  item: Invoice,
  columns: sql`*`,
  from: sql`${invoices}`,
  where: $ => eq(invoices.organizationId, $.organizationId),
  id: byId,
  sorts: { createdAt: byId },
  defaultSort: '-createdAt',
  filters: { status: $ => eq(invoices.status, sql`${$.status}`) },
})
