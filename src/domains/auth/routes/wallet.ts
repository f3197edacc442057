import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { asUser, everyone, signedIn } from '../../../lib/access.ts'
import { problems } from '../../../lib/errors.ts'
import { route } from '../../../plugins/routes.ts'
import { authErrors } from '../errors.ts'
import { Identity } from '../schemas/identities.ts'
import { SignedIn } from '../schemas/sessions.ts'
import { CreateWalletNonce, LinkWallet, WalletNonce, WalletProof } from '../schemas/wallet.ts'
import type { Sessions } from '../service/sessions.ts'
import { Wallets } from '../service/wallet.ts'
import { linkWallet, signInWithWallet } from '../service/wallet-sign-in.ts'

interface Options {
  sessions: Sessions
  appUrl: string
}

export const walletRoutes: FastifyPluginAsyncTypebox<Options> = async (app, { sessions, appUrl }) => {
  const wallets = new Wallets(app, { appUrl })

  route(app, {
    method: 'POST',
    url: '/auth/wallet/nonce',
    config: { access: everyone, sensitive: true, cache: 'no-store', affects: ['tokens'] },
    schema: {
      operationId: 'createWalletNonce',
      summary: 'A message for a wallet to sign, which signs in or links the wallet',
      body: CreateWalletNonce,
      response: { 200: WalletNonce },
    },
    handler: ({ body }) => wallets.issue(body),
  })

  route(app, {
    method: 'POST',
    url: '/auth/wallet/verify',
    config: {
      access: everyone,
      sensitive: true,
      cache: 'no-store',
      affects: ['users', 'profiles', 'settings', 'identities', 'sessions', 'tokens'],
    },
    schema: {
      operationId: 'signInWithWallet',
      summary: 'Sign in with a signed message; a wallet that nobody has linked makes an account',
      body: WalletProof,
      response: {
        200: SignedIn,
        ...problems(authErrors.wallet_proof_invalid, authErrors.email_not_verified, authErrors.account_deactivated),
      },
    },
    handler: ({ caller, body }) => signInWithWallet(wallets, sessions, caller, body),
  })

  route(app, {
    method: 'POST',
    url: '/auth/wallet/link',
    config: { access: signedIn, sensitive: true, affects: ['identities', 'tokens', 'jobs.job'] },
    schema: {
      operationId: 'linkWallet',
      summary: 'Let the signed-in user sign in with the wallet as well',
      body: LinkWallet,
      response: {
        200: Identity,
        ...problems(
          authErrors.wallet_proof_invalid,
          authErrors.password_wrong,
          authErrors.reauthentication_required,
          authErrors.email_not_verified,
          authErrors.identity_taken,
        ),
      },
    },
    handler: ({ caller, actor, body }) => linkWallet(app, wallets, caller, asUser(actor), body),
  })
}
