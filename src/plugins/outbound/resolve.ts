import type { LookupAddress } from 'node:dns'
import { lookup, Resolver } from 'node:dns/promises'

/**
 * Returns all addresses of a name; throws when there is none. Names that the operator trusts are resolved by the
 * system, which also reads `/etc/hosts`.
 */
export type Resolve = (hostname: string, trusted: boolean) => Promise<LookupAddress[]>

const TRY_MS = 1_500
const TRIES = 2

/**
 * Returns a resolver that uses only DNS for other names, without search domains. It does not use `getaddrinfo`, which
 * blocks one of the four threads of the process while a name server is silent, so four dead ones would stop all
 * deliveries. Without `servers` it uses those of the system.
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
