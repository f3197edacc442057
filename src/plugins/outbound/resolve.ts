import type { LookupAddress } from 'node:dns'
import { lookup, Resolver } from 'node:dns/promises'

/** All addresses of a name; throws where there is none. Names that the operator trusts are asked of the system, which knows `/etc/hosts` as well. */
export type Resolve = (hostname: string, trusted: boolean) => Promise<LookupAddress[]>

const TRY_MS = 1_500
const TRIES = 2

/**
 * Other names are asked of DNS only, without search domains, and not through `getaddrinfo`: it holds one of the four threads
 * of the process for as long as a name server is silent, so that four dead ones would stop everybody's deliveries. Without `servers` those of the system are asked.
 */
export function resolver(servers?: string[]): Resolve {
  const dns = new Resolver({ timeout: TRY_MS, tries: TRIES })
  if (servers) dns.setServers(servers)
  return async (hostname, trusted) => {
    if (trusted) return lookup(hostname, { all: true })
    const [v4, v6] = await Promise.allSettled([dns.resolve4(hostname), dns.resolve6(hostname)])
    const addresses = [...addressesOf(v4, 4), ...addressesOf(v6, 6)]
    if (addresses.length === 0) throw (v4 as PromiseRejectedResult).reason
    return addresses
  }
}

const addressesOf = (answer: PromiseSettledResult<string[]>, family: number): LookupAddress[] =>
  answer.status === 'fulfilled' ? answer.value.map(address => ({ address, family })) : []
