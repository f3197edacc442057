import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { type Actor, anyCaller, member, orPlatform } from '../../../lib/access.ts'
import { orNotFound, problems } from '../../../lib/errors.ts'
import { moneyErrors } from '../../../lib/money.ts'
import { route } from '../../../plugins/routes.ts'
import { ledgerErrors } from './errors.ts'
import { findAccount, listAccounts } from './queries/accounts.ts'
import { findTransfer, listEntries } from './queries/transfers.ts'
import {
  Account,
  AccountList,
  AccountsQuery,
  CreateAccount,
  CreateTransfer,
  EntriesQuery,
  EntryList,
  Transfer,
} from './schemas.ts'
import { createAccount } from './service/accounts.ts'
import { createTransfer, reverseTransfer } from './service/transfers.ts'

const read = (resource: string) => ({ access: member('viewer', resource, 'ledger:read'), money: true }) as const
const write = (resource: string) =>
  ({ access: orPlatform('admin', member('admin', resource, 'ledger:write')), money: true }) as const
/** What a transfer changes besides itself. */
const moves = {
  idempotency: 'required',
  money: true,
  affects: ['transfers', 'accounts', 'entries'],
  records: ['transfer.created'],
} as const
const moveProblems = [ledgerErrors.insufficient_funds, moneyErrors.currency_mismatch, moneyErrors.amount_out_of_range]

export const ledgerRoutes: FastifyPluginAsyncTypebox = async app => {
  route(app, {
    method: 'POST',
    url: '/organizations/:id/accounts',
    config: write('organization'),
    schema: {
      operationId: 'createAccount',
      summary: 'Open an account',
      description: 'Only admins of the platform open system accounts.',
      body: CreateAccount,
      response: { 201: Account, ...problems(ledgerErrors.system_account_exists) },
    },
    handler: ({ caller, actor, organizationId, body }) => createAccount(caller, actor as Actor, organizationId, body),
  })

  route(app, {
    method: 'GET',
    url: '/organizations/:id/accounts',
    config: read('organization'),
    schema: {
      operationId: 'listAccounts',
      summary: 'The accounts of an organization',
      querystring: AccountsQuery,
      response: { 200: AccountList },
    },
    handler: async ({ organizationId, query }) =>
      orNotFound(await listAccounts(app.database, { organizationId }, {}, query)),
  })

  route(app, {
    method: 'GET',
    url: '/accounts/:id',
    config: read('account'),
    schema: { operationId: 'getAccount', summary: 'An account with its balance', response: { 200: Account } },
    handler: async ({ params }) => orNotFound(await findAccount(app.database, { id: params.id })),
  })

  route(app, {
    method: 'GET',
    url: '/accounts/:id/entries',
    config: read('account'),
    schema: {
      operationId: 'listEntries',
      summary: 'The statement of an account, with its balance after each entry',
      querystring: EntriesQuery,
      response: { 200: EntryList },
    },
    handler: async ({ params, query }) =>
      orNotFound(await listEntries(app.database, { accountId: params.id }, {}, query)),
  })

  route(app, {
    method: 'POST',
    url: '/transfers',
    config: { ...moves, access: anyCaller('ledger:write') },
    schema: {
      operationId: 'createTransfer',
      summary: 'Move an amount between two accounts of an organization',
      description: 'Needs the role admin in the organization; for a system account, the role admin of the platform.',
      body: CreateTransfer,
      response: { 201: Transfer, ...problems(403, 404, ...moveProblems) },
    },
    handler: ({ caller, actor, body }) => createTransfer(app, caller, actor as Actor, body),
  })

  route(app, {
    method: 'GET',
    url: '/transfers/:id',
    config: read('transfer'),
    schema: { operationId: 'getTransfer', summary: 'A transfer', response: { 200: Transfer } },
    handler: async ({ params }) => orNotFound(await findTransfer(app.database, { id: params.id })),
  })

  route(app, {
    method: 'POST',
    url: '/transfers/:id/reverse',
    config: { ...write('transfer'), ...moves },
    schema: {
      operationId: 'reverseTransfer',
      summary: 'Move the amount of a transfer back, once',
      response: { 201: Transfer, ...problems(ledgerErrors.transfer_reversed, ...moveProblems) },
    },
    async handler({ caller, actor, params }, reply) {
      const reversal = await reverseTransfer(caller, actor as Actor, params.id)
      reply.header('location', `${app.prefix}/transfers/${reversal.id}`)
      return reversal
    },
  })
}
