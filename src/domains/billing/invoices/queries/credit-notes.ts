import { eq, sql } from 'drizzle-orm'
import { defineList } from '../../../../database/list.ts'
import { one, type Params, statement } from '../../../../database/statement.ts'
import { CreditNote } from '../schemas.ts'
import { creditNotes, invoiceNumbers } from '../tables.ts'

/** `lines` and `taxes` are JSON. */
interface NewCreditNote {
  id: string
  organizationId: string
  invoiceId: string
  reason: string
  currency: string
  lines: string
  taxes: string
  subtotalCents: number
  taxCents: number
  totalCents: number
  createdBy: string | null
}

/** Inserts a credit note with the next number of its organization; the numbers are as those of invoices. */
export const insertCreditNote = one(
  statement(
    'credit_notes.insert',
    (_, $: Params<NewCreditNote>) => sql<CreditNote>`
      with numbered as (
        insert into ${invoiceNumbers} as n (organization_id, last_credit_note) values (${$.organizationId}, 1)
        on conflict (organization_id) do update set last_credit_note = n.last_credit_note + 1 returning last_credit_note)
      insert into ${creditNotes} (id, organization_id, invoice_id, number, reason, currency, lines, taxes, subtotal_cents,
        tax_cents, total_cents, created_by)
      select ${$.id}::uuid, ${$.organizationId}::uuid, ${$.invoiceId}::uuid, last_credit_note, ${$.reason}::text,
        ${$.currency}::text, ${$.lines}::json, ${$.taxes}::json, ${$.subtotalCents}::bigint, ${$.taxCents}::bigint,
        ${$.totalCents}::bigint, ${$.createdBy}::uuid
      from numbered returning *`,
  ),
)

const byId = { on: creditNotes.id, key: 'id', type: 'uuid' } as const

export const listCreditNotes = defineList<CreditNote, { invoiceId: string }>({
  name: 'credit_notes.list',
  item: CreditNote,
  columns: sql`*`,
  from: sql`${creditNotes}`,
  where: $ => eq(creditNotes.invoiceId, $.invoiceId),
  id: byId,
  sorts: { createdAt: byId },
  defaultSort: '-createdAt',
})
