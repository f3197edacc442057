import { isIP, type LookupFunction } from 'node:net'
import { buildConnector } from 'undici'
import type { AllowList } from '../../lib/allow-list.ts'
import { isPublicAddress } from '../../lib/public-address.ts'
import { portOf } from './destination.ts'
import { NO_PUBLIC_ADDRESS, OutboundError, refused } from './errors.ts'
import type { Resolve } from './resolve.ts'

/** Long enough that after two addresses without an answer another one is still tried. */
const CONNECT_MS = 5_000

/** Opens sockets to the addresses that `lookup` returns. */
export type Dialer = (lookup: LookupFunction) => buildConnector.connector

export const dialer: Dialer = lookup =>
  buildConnector({ lookup, timeout: CONNECT_MS, allowH2: false, autoSelectFamily: true })

/**
 * Checks destinations where sockets are opened. An address instead of a name never reaches `lookup` and is checked
 * here; a name is checked by what the `lookup` of that socket returns, so the checked address is the one that is
 * connected to.
 */
export function guardedConnector(allow: AllowList, resolve: Resolve, open = dialer): buildConnector.connector {
  // One dialer for each port: the allow-list may name ports, and a lookup does not get them.
  const dialers = new Map<number, buildConnector.connector>()
  return (options, callback) => {
    const port = portOf(options)
    if (isIP(options.hostname) !== 0 && !mayDial(options.hostname, port, allow))
      return process.nextTick(callback, refused('must name a public host'), null)
    const dial = dialers.get(port) ?? open(lookupOf(port, allow, resolve))
    dialers.set(port, dial)
    // Returns the socket, so that undici can close it when nobody waits for the connection any more.
    return dial(options, callback)
  }
}

const mayDial = (address: string, port: number, allow: AllowList): boolean =>
  isPublicAddress(address) || allow.hasAddress(address, port)

/**
 * Returns a lookup that fails with `refused` when any address of the name is not public: a mix of both is suspicious.
 */
export function lookupOf(port: number, allow: AllowList, resolve: Resolve): LookupFunction {
  const judged = async (hostname: string) => {
    const trusted = allow.hasName(hostname, port)
    const addresses = await resolve(hostname, trusted).catch(notFound)
    const every = addresses.every(({ address }) => trusted || mayDial(address, port, allow))
    if (addresses.length === 0 || !every) throw refused(NO_PUBLIC_ADDRESS)
    return addresses
  }
  return (hostname, { all }, callback) => {
    judged(hostname).then(
      addresses =>
        all ? callback(null, addresses) : callback(null, addresses[0]?.address ?? '', addresses[0]?.family),
      error => callback(error, ''),
    )
  }
}

function notFound(cause: unknown): never {
  throw new OutboundError('dns', NO_PUBLIC_ADDRESS, cause)
}
