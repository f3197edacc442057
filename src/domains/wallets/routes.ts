import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { asUser, signedIn } from '../../lib/access.ts'
import { orNotFound, problems } from '../../lib/errors.ts'
import { route } from '../../plugins/routes.ts'
import { walletErrors } from './errors.ts'
import { listWallets } from './queries.ts'
import { Balances, BalancesQuery, WalletList, WalletPath, WalletsQuery } from './schemas.ts'
import { balanceReader } from './service/balances.ts'

interface Options {
  rpcUrl: string | null
}

export const walletRoutes: FastifyPluginAsyncTypebox<Options> = async (app, { rpcUrl }) => {
  const balancesOf = balanceReader(app, rpcUrl)

  route(app, {
    method: 'GET',
    url: '/wallets',
    config: { access: signedIn },
    schema: {
      operationId: 'listWallets',
      summary: 'The wallets that the signed-in user has linked',
      querystring: WalletsQuery,
      response: { 200: WalletList },
    },
    handler: async ({ actor, query }) =>
      orNotFound(await listWallets(app.database, { userId: asUser(actor).id }, {}, query)),
  })

  route(app, {
    method: 'GET',
    url: '/wallets/:address/balances',
    config: { access: signedIn },
    schema: {
      operationId: 'listBalances',
      summary: 'What a linked wallet holds of the chain’s coin and of tokens',
      description: 'Read from a node of the chain; an answer is good for ten seconds.',
      params: WalletPath,
      querystring: BalancesQuery,
      response: { 200: Balances, ...problems(walletErrors.chain_not_configured, walletErrors.chain_failed) },
    },
    handler: ({ actor, params, query }) => balancesOf(asUser(actor).id, params.address, query.token),
  })
}
