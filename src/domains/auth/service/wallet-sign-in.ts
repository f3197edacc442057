import type { FastifyInstance } from 'fastify'
import type { Transaction } from '../../../database/client.ts'
import { type Caller, onBehalfOf } from '../../../events/caller.ts'
import { record } from '../../../events/record.ts'
import type { UserActor } from '../../../lib/access.ts'
import { orNotFound } from '../../../lib/errors.ts'
import { newId } from '../../../lib/ids.ts'
import { userEvents } from '../../users/events.ts'
import { insertUser } from '../../users/queries/users.ts'
import type { User } from '../../users/schemas.ts'
import type { Identity } from '../schemas/identities.ts'
import type { SignedIn } from '../schemas/sessions.ts'
import type { LinkWallet, WalletProof } from '../schemas/wallet.ts'
import { addIdentity, linkIdentity, lockOwner } from './identities.ts'
import { proveRecently } from './reauthentication.ts'
import type { Sessions } from './sessions.ts'
import { type ProvedWallet, spendNonce, type Wallets } from './wallet.ts'

/**
 * Signs in; for a wallet that is not linked it creates an account. Throws `wallet_proof_invalid`,
 * `account_deactivated`.
 */
export async function signInWithWallet(
  wallets: Wallets,
  sessions: Sessions,
  caller: Caller,
  proof: WalletProof,
): Promise<SignedIn> {
  const wallet = await wallets.prove(proof)
  return caller.transaction(async tx => {
    await spendNonce(tx, wallet)
    return sessions.startIn(tx, caller, (await lockOwner(tx, wallet)) ?? (await createOwner(tx, caller, wallet)))
  })
}

async function createOwner(tx: Transaction, caller: Caller, wallet: ProvedWallet): Promise<User> {
  const account = { id: newId(), email: null, name: shortened(wallet.subject), passwordHash: null }
  const user = orNotFound(await insertUser(tx, account))
  await record(tx, onBehalfOf(caller, user.id), userEvents.registered, user)
  await addIdentity(tx, caller, user.id, wallet)
  return user
}

/** Returns `0xd8dA…6045`, the short form that wallets show. */
const shortened = (address: string): string => `${address.slice(0, 6)}…${address.slice(-4)}`

/** Throws `wallet_proof_invalid`, `identity_taken`, `email_not_verified`, and as `proveRecently`. */
export async function linkWallet(
  app: FastifyInstance,
  wallets: Wallets,
  caller: Caller,
  actor: UserActor,
  { password, ...proof }: LinkWallet,
): Promise<Identity> {
  await proveRecently(app, actor, password)
  const wallet = await wallets.prove(proof)
  return caller.transaction(async tx => {
    await spendNonce(tx, wallet)
    return linkIdentity(app, tx, caller, actor.id, wallet)
  })
}
