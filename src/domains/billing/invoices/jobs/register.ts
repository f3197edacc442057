import type { FastifyInstance } from 'fastify'
import { mailPdf } from '../service/mail.ts'
import { mailInvoice } from './mail.ts'

export function registerInvoiceJobs(app: FastifyInstance): void {
  app.jobs.handleOutside(mailInvoice, ({ invoiceId }) => mailPdf(app, invoiceId))
}
