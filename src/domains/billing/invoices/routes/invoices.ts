import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { member } from '../../../../lib/access.ts'
import { orNotFound, problems } from '../../../../lib/errors.ts'
import { moneyErrors } from '../../../../lib/money.ts'
import { Nothing } from '../../../../lib/schema.ts'
import { route } from '../../../../plugins/routes.ts'
import { invoiceErrors } from '../errors.ts'
import { findInvoice, listInvoices } from '../queries/invoices.ts'
import { CreateInvoice, Invoice, InvoiceList, InvoicesQuery, UpdateInvoice } from '../schemas.ts'
import {
  createInvoice,
  deleteInvoice,
  issueInvoice,
  updateInvoice,
  voidInvoice,
  writeOffInvoice,
} from '../service/invoices.ts'
import { sendInvoice } from '../service/mail.ts'

const read = (of: string) => ({ access: member('viewer', of, 'invoices:read'), money: true }) as const
const write = (of: string) => ({ access: member('admin', of, 'invoices:write'), money: true }) as const
const notDraft = problems(invoiceErrors.invoice_not_draft)
const notPayable = problems(invoiceErrors.invoice_not_open, invoiceErrors.invoice_being_paid)

export const invoiceRoutes: FastifyPluginAsyncTypebox = async app => {
  route(app, {
    method: 'POST',
    url: '/organizations/:id/invoices',
    config: write('organization'),
    schema: {
      operationId: 'createInvoice',
      summary: 'Draft an invoice; the totals are computed here',
      body: CreateInvoice,
      response: { 201: Invoice, ...problems(moneyErrors.amount_out_of_range) },
    },
    handler: ({ caller, params, body }) => createInvoice(caller, params.id, body),
  })

  route(app, {
    method: 'GET',
    url: '/organizations/:id/invoices',
    config: read('organization'),
    schema: {
      operationId: 'listInvoices',
      summary: 'The invoices of an organization',
      querystring: InvoicesQuery,
      response: { 200: InvoiceList },
    },
    handler: async ({ params, query }) =>
      orNotFound(await listInvoices(app.database, { organizationId: params.id }, {}, query)),
  })

  route(app, {
    method: 'GET',
    url: '/invoices/:id',
    config: read('invoice'),
    schema: { operationId: 'getInvoice', summary: 'An invoice', response: { 200: Invoice } },
    handler: async ({ params }) => orNotFound(await findInvoice(app.database, { id: params.id })),
  })

  route(app, {
    method: 'PATCH',
    url: '/invoices/:id',
    config: write('invoice'),
    schema: {
      operationId: 'updateInvoice',
      summary: 'Change a draft',
      body: UpdateInvoice,
      response: { 200: Invoice, ...notDraft, ...problems(moneyErrors.amount_out_of_range) },
    },
    handler: ({ caller, params, body, ifMatch }) => updateInvoice(caller, params.id, body, ifMatch),
  })

  route(app, {
    method: 'DELETE',
    url: '/invoices/:id',
    config: write('invoice'),
    schema: { operationId: 'deleteInvoice', summary: 'Delete a draft', response: { 204: Nothing, ...notDraft } },
    handler: async ({ caller, params, ifMatch }) => void (await deleteInvoice(caller, params.id, ifMatch)),
  })

  route(app, {
    method: 'POST',
    url: '/invoices/:id/issue',
    config: { ...write('invoice'), affects: ['invoice_numbers'] },
    schema: {
      operationId: 'issueInvoice',
      summary: 'Issue a draft: it gets the next number and is not changed any more',
      response: { 200: Invoice, ...notDraft },
    },
    handler: ({ caller, params, ifMatch }) => issueInvoice(caller, params.id, ifMatch),
  })

  route(app, {
    method: 'POST',
    url: '/invoices/:id/send',
    config: { ...write('invoice'), affects: ['jobs.job'] },
    schema: {
      operationId: 'sendInvoice',
      summary: 'Mail an issued invoice to its customer, as PDF',
      description: 'An address gets a few such mails in an hour, whoever causes them; then it is `rate_limited`.',
      response: { 200: Invoice, ...problems(invoiceErrors.invoice_not_issued) },
    },
    handler: ({ caller, params, ifMatch }) => sendInvoice(app, caller, params.id, ifMatch),
  })

  route(app, {
    method: 'POST',
    url: '/invoices/:id/void',
    config: write('invoice'),
    schema: {
      operationId: 'voidInvoice',
      summary: 'Cancel an issued invoice that is not paid; it keeps its number',
      response: { 200: Invoice, ...notPayable },
    },
    handler: ({ caller, params, ifMatch }) => voidInvoice(caller, params.id, ifMatch),
  })

  route(app, {
    method: 'POST',
    url: '/invoices/:id/write-off',
    config: write('invoice'),
    schema: {
      operationId: 'writeOffInvoice',
      summary: 'Write off an invoice that will not be paid; it still can be',
      response: { 200: Invoice, ...notPayable },
    },
    handler: ({ caller, params, ifMatch }) => writeOffInvoice(caller, params.id, ifMatch),
  })
}
