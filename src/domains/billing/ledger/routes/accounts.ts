import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { Actor } from '../../../../lib/access.ts'
import { orNotFound, problems } from '../../../../lib/errors.ts'
import { route } from '../../../../plugins/routes.ts'
import { ledgerErrors } from '../errors.ts'
import { findAccount, listAccounts } from '../queries/accounts.ts'
import { listEntries } from '../queries/transfers.ts'
import { Account, AccountList, AccountsQuery, CreateAccount, EntriesQuery, EntryList } from '../schemas.ts'
import { createAccount } from '../service/accounts.ts'
import { read, write } from './access.ts'

export const accountRoutes: FastifyPluginAsyncTypebox = async app => {
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
}
