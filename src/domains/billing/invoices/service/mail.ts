import type { FastifyInstance } from 'fastify'
import type { Caller } from '../../../../events/caller.ts'
import { record } from '../../../../events/record.ts'
import { defused } from '../../../../lib/defused.ts'
import { orNotFound, requireVersion } from '../../../../lib/errors.ts'
import { decimal } from '../../../../lib/money.ts'
import { findOrganization } from '../../../organizations/queries/organizations.ts'
import { invoiceErrors } from '../errors.ts'
import { invoiceEvents } from '../events.ts'
import { mailInvoice } from '../jobs/mail.ts'
import { findInvoice, markInvoiceSent } from '../queries/invoices.ts'
import type { Invoice } from '../schemas.ts'
import { pdfOf } from './pdf.ts'

/** Has an invoice sent to its customer. Throws `invoice_not_issued`, `precondition_failed`, `rate_limited`. */
export const sendInvoice = (
  { jobs, limitMails }: Pick<FastifyInstance, 'jobs' | 'limitMails'>,
  caller: Caller,
  id: string,
  ifMatch: number[] | null,
) =>
  caller.transaction(async tx => {
    const invoice = await markInvoiceSent(tx, { id, ifMatch })
    if (!invoice) {
      requireVersion(orNotFound(await findInvoice(tx, { id })), ifMatch)
      throw invoiceErrors.invoice_not_issued()
    }
    // Whoever writes invoices could fill any mailbox otherwise.
    await limitMails(invoice.customerEmail)
    await record(tx, caller, invoiceEvents.sent, invoice)
    await jobs.enqueue(tx, mailInvoice, { invoiceId: id }, caller.traceparent)
    return invoice
  })

/** Returns an invoice with the name of the organization that made it. Throws `not_found`. */
export async function invoiceWithSeller({ database }: Pick<FastifyInstance, 'database'>, id: string) {
  const invoice = orNotFound(await findInvoice(database, { id }))
  const { name } = orNotFound(await findOrganization(database, { id: invoice.organizationId, userId: null }))
  return { invoice, seller: name }
}

/** Names are text of a tenant, so they are defused. */
const text = (
  { customerName, number, totalCents, creditedCents, currency, dueAt }: Invoice,
  seller: string,
): string => `\
Dear ${defused(customerName)},

here is invoice ${number} of ${defused(seller)}.

To be paid: ${decimal({ amountCents: totalCents - creditedCents, currency })} ${currency}
Due: ${dueAt?.slice(0, 10)}
`

/** Mails an invoice as PDF; does nothing when its organization is gone. */
export async function mailPdf(app: Pick<FastifyInstance, 'database' | 'mail'>, id: string): Promise<void> {
  if (!(await findInvoice(app.database, { id }))) return
  const { invoice, seller } = await invoiceWithSeller(app, id)
  const content = await pdfOf(invoice, seller)
  await app.mail.send({
    to: invoice.customerEmail,
    subject: `Invoice ${invoice.number} of ${defused(seller)}`,
    text: text(invoice, seller),
    attachments: [{ filename: `invoice-${invoice.number}.pdf`, contentType: 'application/pdf', content }],
  })
}
