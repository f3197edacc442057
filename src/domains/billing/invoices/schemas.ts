import { type Static, Type } from '@sinclair/typebox'
import { BASIS_POINTS } from '../../../lib/money.ts'
import {
  Cents,
  Closed,
  Currency,
  Email,
  Id,
  List,
  ListQuery,
  Nullable,
  Patch,
  StringEnum,
  Text,
  Timestamp,
  VisibleText,
} from '../../../lib/schema.ts'
import { TaxBasisPoints } from '../products/schemas.ts'

const MAX_LINES = 100
const MAX_QUANTITY = 1_000_000
const MAX_DUE_DAYS = 365
export const DUE_DAYS = 14

const Status = StringEnum(['draft', 'open', 'paid', 'void', 'uncollectible'], {
  description:
    'A draft can be changed; open is issued and not paid; void is cancelled, or credited wholly before it was paid.',
})
const Description = VisibleText(500, { description: 'What is charged for.', examples: ['Handbook'] })
const Quantity = Type.Integer({ minimum: 1, maximum: MAX_QUANTITY, description: 'How many.', examples: [2] })
const UnitAmount = Cents({ description: 'What one costs before tax, in minor units.', examples: [2900] })
const DiscountBasisPoints = Type.Integer({
  minimum: 0,
  maximum: BASIS_POINTS,
  description: 'The part of the line that is not charged, in hundredths of a percent: 1000 is 10 %.',
  examples: [1000],
})
const CustomerName = VisibleText(200, { description: 'Who is to pay.', examples: ['Example GmbH'] })
const CustomerEmail = { ...Email, description: 'Where the invoice is sent.' }
const CustomerAddress = Nullable(Text(0, 1_000), {
  description: 'The postal address, a line of it in each line; null for none.',
  examples: ['Hauptstraße 1\n10115 Berlin'],
})
const DueDays = Type.Integer({
  minimum: 0,
  maximum: MAX_DUE_DAYS,
  description: `In how many days after the issue it is due; ${DUE_DAYS} by default.`,
  examples: [DUE_DAYS],
})

export const InvoiceLine = Type.Object(
  {
    description: Description,
    quantity: Quantity,
    unitAmountCents: UnitAmount,
    discountBasisPoints: DiscountBasisPoints,
    taxBasisPoints: TaxBasisPoints,
    amountCents: Cents({
      description: 'Of the line after its discount and before tax; the discount is rounded half away from zero.',
      examples: [5220],
    }),
  },
  { title: 'InvoiceLine', description: 'What is charged for.' },
)
export type InvoiceLine = Static<typeof InvoiceLine>

export const InvoiceTax = Type.Object(
  {
    taxBasisPoints: TaxBasisPoints,
    baseCents: Cents({ description: 'The sum of the lines with this rate.', examples: [5220] }),
    taxCents: Cents({ description: 'The tax of that sum, rounded once, half away from zero.', examples: [992] }),
  },
  { title: 'InvoiceTax', description: 'The tax at one rate.' },
)
export type InvoiceTax = Static<typeof InvoiceTax>

const Amounts = {
  currency: Currency,
  lines: Type.Array(InvoiceLine, { description: 'What is charged for.' }),
  taxes: Type.Array(InvoiceTax, { description: 'The tax at each rate, the lowest rate first.' }),
  subtotalCents: Cents({ description: 'The sum of the lines before tax, in minor units.', examples: [5220] }),
  taxCents: Cents({ description: 'The sum of the taxes, in minor units.', examples: [992] }),
  totalCents: Cents({ description: 'The sum of both, in minor units.', examples: [6212] }),
}
const moment = (description: string) => Nullable(Timestamp, { description, examples: [null] })

export const Invoice = Type.Object(
  {
    id: Id,
    organizationId: Id,
    number: Nullable(Type.Integer(), {
      description: 'From 1 without gaps in each organization; null for a draft.',
      examples: [1],
    }),
    status: Status,
    customerName: CustomerName,
    customerEmail: CustomerEmail,
    customerAddress: CustomerAddress,
    ...Amounts,
    creditedCents: Cents({ minimum: 0, description: 'The sum of its credit notes, in minor units.', examples: [0] }),
    dueDays: DueDays,
    issuedAt: moment('When it was issued; null for a draft.'),
    dueAt: moment('By when it is to be paid; null for a draft.'),
    sentAt: moment('When it was last sent by mail; null when it was not.'),
    paidAt: moment('When it was paid; null when it is not.'),
    paymentId: Nullable(Id, {
      description: 'The payment that is under way or has succeeded; null while there is none.',
      examples: [null],
    }),
    createdBy: Nullable(Id, { description: 'The user who created it; null where an API key or a subscription did.' }),
    createdAt: Timestamp,
    updatedAt: Timestamp,
  },
  { title: 'Invoice', description: 'What a customer of an organization is to pay.' },
)
export type Invoice = Static<typeof Invoice>

export const CreditNote = Type.Object(
  {
    id: Id,
    organizationId: Id,
    invoiceId: Id,
    number: Type.Integer({
      description: 'From 1 without gaps in each organization, beside the numbers of invoices.',
      examples: [1],
    }),
    reason: VisibleText(500, { description: 'Why the invoice is corrected.', examples: ['One was returned'] }),
    ...Amounts,
    createdBy: Nullable(Id, { description: 'The user who created it; null where an API key did.' }),
    createdAt: Timestamp,
  },
  { title: 'CreditNote', description: 'What is taken back of an invoice that was issued.' },
)
export type CreditNote = Static<typeof CreditNote>

const NewInvoiceLine = Closed(
  {
    description: Description,
    quantity: Quantity,
    unitAmountCents: { ...UnitAmount, minimum: 0 },
    discountBasisPoints: Type.Optional({ ...DiscountBasisPoints, default: 0 }),
    taxBasisPoints: Type.Optional({ ...TaxBasisPoints, default: 0 }),
  },
  { title: 'NewInvoiceLine', description: 'What is charged for.' },
)
/** Unlike in a request, the amount may be negative, as for the unused part of a period. */
export type NewInvoiceLine = Static<typeof NewInvoiceLine>
const NewInvoiceLines = Type.Array(NewInvoiceLine, {
  minItems: 1,
  maxItems: MAX_LINES,
  description: 'What is charged for; the totals are computed from it.',
})

const line = {
  description: 'Handbook',
  quantity: 2,
  unitAmountCents: 2900,
  discountBasisPoints: 1000,
  taxBasisPoints: 1900,
}
export const CreateInvoice = Closed(
  {
    customerName: CustomerName,
    customerEmail: CustomerEmail,
    customerAddress: Type.Optional(CustomerAddress),
    currency: Currency,
    lines: NewInvoiceLines,
    dueDays: Type.Optional({ ...DueDays, default: DUE_DAYS }),
  },
  {
    title: 'CreateInvoice',
    examples: [
      {
        customerName: 'Example GmbH',
        customerEmail: 'office@example.com',
        currency: 'EUR',
        lines: [line],
        dueDays: 14,
      },
    ],
  },
)
export type CreateInvoice = Static<typeof CreateInvoice>

export const UpdateInvoice = Patch(
  Closed({
    customerName: CustomerName,
    customerEmail: CustomerEmail,
    customerAddress: CustomerAddress,
    currency: Currency,
    lines: NewInvoiceLines,
    dueDays: DueDays,
  }),
  { title: 'UpdateInvoice', examples: [{ lines: [{ ...line, quantity: 3 }] }] },
)
export type UpdateInvoice = Static<typeof UpdateInvoice>

export const CreateCreditNote = Closed(
  { reason: CreditNote.properties.reason, lines: NewInvoiceLines },
  { title: 'CreateCreditNote', examples: [{ reason: 'One was returned', lines: [{ ...line, quantity: 1 }] }] },
)
export type CreateCreditNote = Static<typeof CreateCreditNote>

export const InvoiceList = List(Invoice)
export const InvoicesQuery = ListQuery(
  { status: Type.Optional({ ...Status, description: 'Only invoices with this status.' }) },
  ['createdAt'],
)
export const CreditNoteList = List(CreditNote)
export const CreditNotesQuery = ListQuery({}, ['createdAt'])
