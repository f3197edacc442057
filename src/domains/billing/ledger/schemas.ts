import { type Static, Type } from '@sinclair/typebox'
import { demoId } from '../../../lib/demo.ts'
import {
  Cents,
  Closed,
  Currency,
  Id,
  List,
  ListQuery,
  Nullable,
  StringEnum,
  Timestamp,
  VisibleText,
} from '../../../lib/schema.ts'

const Name = Nullable(VisibleText(200, { description: 'What the account is for.' }), { examples: ['Cash'] })
const Kind = StringEnum(['normal', 'system'], {
  description: 'A system account stands for the world outside; only such a balance may be negative.',
})
const Purpose = StringEnum(['general', 'payments', 'provider', 'fees'], {
  description:
    'What the books keep it for by themselves: `payments` is what customers have paid, `provider` what the provider of payments holds, `fees` what it has kept. All other accounts are `general`.',
})
const Source = StringEnum(['payment', 'refund', 'fee', 'hold'], {
  description: 'What it follows from by itself; null when somebody made it.',
})
const Reference = Nullable(VisibleText(200, { description: 'A note of the caller.' }), { examples: ['Payout of May'] })
const Amount = Cents({ minimum: 1 })

export const Account = Type.Object(
  {
    id: Id,
    organizationId: Id,
    kind: Kind,
    currency: Currency,
    purpose: Purpose,
    name: Name,
    balanceCents: Cents({ description: 'The sum of its entries, in minor units of the currency.' }),
    heldCents: Cents({
      minimum: 0,
      description: 'What its holds reserve of the balance: the rest is free to move.',
      examples: [0],
    }),
    createdAt: Timestamp,
    updatedAt: Timestamp,
  },
  { title: 'Account', description: 'A balance of an organization in one currency.' },
)
export type Account = Static<typeof Account>

export const CreateAccount = Closed(
  { currency: Currency, name: Type.Optional(Name), kind: Type.Optional(Kind) },
  { title: 'CreateAccount', examples: [{ currency: 'EUR', name: 'Cash', kind: 'normal' }] },
)
export type CreateAccount = Static<typeof CreateAccount>

export const AccountList = List(Account)
export const AccountsQuery = ListQuery({}, ['createdAt'])

export const Transfer = Type.Object(
  {
    id: Id,
    organizationId: Id,
    fromAccountId: Id,
    toAccountId: Id,
    amountCents: Amount,
    currency: Currency,
    reference: Reference,
    reversesId: Nullable(Id, { description: 'The transfer that this one takes back.' }),
    source: Nullable(Source),
    sourceId: Nullable(Id, {
      description: 'The payment, refund or hold that it follows from; a fee has the id of its payment.',
    }),
    createdBy: Nullable(Id, { description: 'The user who made it; null for an API key.' }),
    createdAt: Timestamp,
    updatedAt: { ...Timestamp, description: 'When it was reversed; until then, when it was made.' },
  },
  { title: 'Transfer', description: 'An amount moved from one account to another. It is never changed.' },
)
export type Transfer = Static<typeof Transfer>

export const CreateTransfer = Closed(
  {
    fromAccountId: Id,
    toAccountId: Id,
    amountCents: Amount,
    currency: Currency,
    reference: Type.Optional(Reference),
  },
  {
    title: 'CreateTransfer',
    examples: [
      {
        fromAccountId: demoId(301),
        toAccountId: demoId(302),
        amountCents: 1050,
        currency: 'EUR',
        reference: 'Payout of May',
      },
    ],
  },
)
export type CreateTransfer = Static<typeof CreateTransfer>

export const Entry = Type.Object(
  {
    seq: Type.Integer({ description: 'Counts the entries of the account from 1.', examples: [1] }),
    accountId: Id,
    transferId: Id,
    amountCents: Cents({ description: 'Negative where money leaves the account.' }),
    balanceCents: Cents({ description: 'The balance after this entry.' }),
    createdAt: Timestamp,
  },
  { title: 'Entry', description: 'What a transfer changes in one account.' },
)
export type Entry = Static<typeof Entry>
export const EntryList = List(Entry)
export const EntriesQuery = ListQuery({}, ['seq'])

const HoldStatus = StringEnum(['held', 'captured', 'released', 'expired'], {
  description: 'Held until it is captured or released, or until it expires.',
})

export const Hold = Type.Object(
  {
    id: Id,
    organizationId: Id,
    accountId: Id,
    status: HoldStatus,
    amountCents: Amount,
    capturedCents: Cents({
      minimum: 0,
      description: 'What of it was captured; the rest is free again.',
      examples: [0],
    }),
    currency: Currency,
    reference: Reference,
    expiresAt: { ...Timestamp, description: 'When it is released by itself.' },
    createdBy: Nullable(Id, { description: 'The user who made it; null for an API key.' }),
    createdAt: Timestamp,
    updatedAt: Timestamp,
  },
  { title: 'Hold', description: 'An amount of an account that is reserved for one transfer later.' },
)
export type Hold = Static<typeof Hold>

export const CreateHold = Closed(
  {
    amountCents: Amount,
    reference: Type.Optional(Reference),
    expiresAt: Type.Optional({ ...Timestamp, description: 'In seven days when left out.' }),
  },
  { title: 'CreateHold', examples: [{ amountCents: 1050, reference: 'Deposit' }] },
)
export type CreateHold = Static<typeof CreateHold>

export const CaptureHold = Closed(
  {
    toAccountId: Id,
    amountCents: Type.Optional(
      Cents({ minimum: 1, description: 'All of the hold when left out. What is not captured is free again.' }),
    ),
  },
  { title: 'CaptureHold', examples: [{ toAccountId: demoId(302), amountCents: 1050 }] },
)
export type CaptureHold = Static<typeof CaptureHold>

export const HoldList = List(Hold)
export const HoldsQuery = ListQuery(
  { status: Type.Optional({ ...HoldStatus, description: 'Only holds with this status.' }) },
  ['createdAt'],
)

const Sum = (description: string) => Cents({ description })

export const UnbalancedAccount = Type.Object(
  {
    id: Id,
    organizationId: Id,
    currency: Currency,
    balanceCents: Sum('The balance of the account.'),
    entriesCents: Sum('What its entries add up to.'),
    entryCount: Type.Integer({ description: 'How many entries the account counts.', examples: [2] }),
    entriesCount: Type.Integer({ description: 'How many there are.', examples: [2] }),
    heldCents: Sum('What the account says is held.'),
    holdsCents: Sum('What its holds add up to.'),
  },
  { title: 'UnbalancedAccount', description: 'An account that does not agree with its entries or its holds.' },
)

export const UnbalancedTransfer = Type.Object(
  {
    id: Id,
    organizationId: Nullable(Id, { description: 'Null for an entry without a transfer.' }),
    entriesCents: Sum('What its entries add up to; zero is right.'),
    entriesCount: Type.Integer({ description: 'How many entries it has; two is right.', examples: [2] }),
  },
  { title: 'UnbalancedTransfer', description: 'A transfer whose entries do not add up.' },
)
