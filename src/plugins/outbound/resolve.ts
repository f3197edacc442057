import type { LookupAddress } from 'node:dns'
import { lookup, Resolver } from 'node:dns/promises'
import { NO_PUBLIC_ADDRESS, OutboundError } from './errors.ts'

/** All addresses of a name. Names that the operator trusts are asked of the system, which knows `/etc/hosts` as well. */
export type Resolve = (hostname: string, trusted: boolean) => Promise<LookupAddress[]>

const TRY_MS = 1_500
const TRIES = 2

/**
 * Other names are asked of DNS only, without search domains, and not through `getaddrinfo`: it holds one of the four threads
 * of the process for as long as a name server is silent, so that four dead ones would stop everybody's deliveries.
 */
export function resolver(): Resolve {
  const dns = new Resolver({ timeout: TRY_MS, tries: TRIES })
  return async (hostname, trusted) => {
    if (trusted) return lookup(hostname, { all: true }).catch(notFound)
    const [v4, v6] = await Promise.allSettled([dns.resolve4(hostname), dns.resolve6(hostname)])
    const addresses = [...addressesOf(v4, 4), ...addressesOf(v6, 6)]
    return addresses.length > 0 ? addresses : notFound((v4 as PromiseRejectedResult).reason)
  }
}

const addressesOf = (answer: PromiseSettledResult<string[]>, family: number): LookupAddress[] =>
  answer.status === 'fulfilled' ? answer.value.map(address => ({ address, family })) : []

function notFound(cause: unknown): never {
  throw new OutboundError('dns', NO_PUBLIC_ADDRESS, cause)
}
