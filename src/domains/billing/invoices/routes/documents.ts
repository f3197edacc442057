import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { member } from '../../../../lib/access.ts'
import { attachment } from '../../../../lib/download.ts'
import { orNotFound, problems } from '../../../../lib/errors.ts'
import { moneyErrors } from '../../../../lib/money.ts'
import { bytes } from '../../../../lib/schema.ts'
import { route } from '../../../../plugins/routes.ts'
import { invoiceErrors } from '../errors.ts'
import { listCreditNotes } from '../queries/credit-notes.ts'
import { CreateCreditNote, CreditNote, CreditNoteList, CreditNotesQuery } from '../schemas.ts'
import { createCreditNote } from '../service/credit-notes.ts'
import { invoiceWithSeller } from '../service/mail.ts'
import { pdfOf } from '../service/pdf.ts'

const read = { access: member('viewer', 'invoice', 'invoices:read'), money: true } as const
const { invoice_not_issued, invoice_not_open, invoice_being_paid, credit_too_large, credit_of_nothing } = invoiceErrors

/** What is printed of an invoice, and what corrects it. */
export const documentRoutes: FastifyPluginAsyncTypebox = async app => {
  route(app, {
    method: 'GET',
    url: '/invoices/:id/pdf',
    config: read,
    schema: {
      operationId: 'getInvoicePdf',
      summary: 'An invoice as PDF',
      description:
        'Printed with a font for Latin, Greek and Cyrillic letters. What it does not have, such as Chinese, Japanese and Korean, is printed as □, and the document says so.',
      response: { ...bytes('The PDF.') },
    },
    async handler({ params }, reply) {
      const { invoice, seller } = await invoiceWithSeller(app, params.id)
      reply.headers({
        'content-type': 'application/pdf',
        'content-disposition': attachment(`invoice-${invoice.number ?? 'draft'}.pdf`),
        'cache-control': 'no-store',
      })
      return pdfOf(invoice, seller)
    },
  })

  route(app, {
    method: 'POST',
    url: '/invoices/:id/credit-notes',
    config: {
      access: member('admin', 'invoice', 'invoices:write'),
      money: true,
      affects: ['credit_notes', 'invoices', 'invoice_numbers'],
      records: ['credit_note.created'],
    },
    schema: {
      operationId: 'createCreditNote',
      summary: 'Take back an issued invoice, or a part of it',
      description: 'What was paid is not paid back by that: refund the payment too.',
      body: CreateCreditNote,
      response: {
        201: CreditNote,
        ...problems(
          invoice_not_issued,
          invoice_not_open,
          invoice_being_paid,
          credit_too_large,
          credit_of_nothing,
          moneyErrors.amount_out_of_range,
        ),
      },
    },
    handler: ({ caller, params, body }) => createCreditNote(caller, params.id, body),
  })

  route(app, {
    method: 'GET',
    url: '/invoices/:id/credit-notes',
    config: read,
    schema: {
      operationId: 'listCreditNotes',
      summary: 'The credit notes of an invoice',
      querystring: CreditNotesQuery,
      response: { 200: CreditNoteList },
    },
    handler: async ({ params, query }) =>
      orNotFound(await listCreditNotes(app.database, { invoiceId: params.id }, {}, query)),
  })
}
