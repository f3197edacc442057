import { defineJob } from '../../../../jobs/define.ts'

export const mailInvoice = defineJob<{ invoiceId: string }>('invoices.mail')
