import type { FastifyInstance } from 'fastify'
import { requestErrors } from '../../../lib/errors.ts'
import { findIdentity } from '../../auth/queries/identities.ts'
import { walletErrors } from '../errors.ts'
import type { Balances } from '../schemas.ts'
import { Chain } from './chain.ts'
import { Recent } from './recent.ts'

const CACHE_MS = 10_000

/** Loaded with the first request, as the library for the node. */
const addresses = () => import('viem/utils')

/** Returns a function that reads the balances of a wallet of the user. `url` is null where no chain is asked. */
export function balanceReader(app: FastifyInstance, url: string | null) {
  const chain = url === null ? undefined : new Chain(url, app)
  const recent = new Recent<Balances>(CACHE_MS)

  /** Throws `chain_not_configured`, `not_found` for a wallet that the user has not linked, and as `Chain`. */
  return async (userId: string, given: string, tokens: readonly string[] = []): Promise<Balances> => {
    const { getAddress } = await addresses()
    // In lower case: the pattern takes an address without regard to its checksum.
    const address = getAddress(given.toLowerCase())
    const identity = await findIdentity(app.database, { provider: 'wallet', subject: address })
    if (identity?.userId !== userId) throw requestErrors.not_found()
    if (!chain) throw walletErrors.chain_not_configured()
    const contracts = tokens.map(token => getAddress(token.toLowerCase()))
    return recent.get([address, ...contracts].join(), () => chain.balancesOf(address, contracts))
  }
}
