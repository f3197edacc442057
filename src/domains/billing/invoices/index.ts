import type { Domain } from '../../../plugins/domains.ts'
import { demoInvoiceId, insertDemoInvoices } from './demo.ts'
import { registerInvoiceJobs } from './jobs/register.ts'
import { documentRoutes } from './routes/documents.ts'
import { invoiceRoutes } from './routes/invoices.ts'
import { creditNotes, invoiceNumbers, invoices as table } from './tables.ts'

export const invoices: Domain = {
  name: 'billing/invoices',
  tag: { name: 'invoices', description: 'What customers of an organization are to pay, and what of it is taken back.' },
  scopes: { 'invoices:read': 'Read invoices.', 'invoices:write': 'Draft, issue, send, void and credit invoices.' },
  tenantTables: [{ table, resource: 'invoice' }, { table: creditNotes }, { table: invoiceNumbers }],
  demo: { ids: { invoices: demoInvoiceId }, insert: insertDemoInvoices },
  register: async app => {
    registerInvoiceJobs(app)
    await app.register(invoiceRoutes)
    await app.register(documentRoutes)
  },
}
