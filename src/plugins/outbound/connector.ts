import { isIP, type LookupFunction } from 'node:net'
import { buildConnector } from 'undici'
import type { AllowList } from '../../lib/allow-list.ts'
import { isPublicAddress } from '../../lib/public-address.ts'
import { portOf } from './destination.ts'
import { NO_PUBLIC_ADDRESS, OutboundError, refused } from './errors.ts'
import type { Resolve } from './resolve.ts'

/** With two addresses that do not answer, the second still has its turn. */
const CONNECT_MS = 5_000

/** Opens sockets whose addresses are those that `lookup` gives. */
export type Dialer = (lookup: LookupFunction) => buildConnector.connector

export const dialer: Dialer = lookup =>
  buildConnector({ lookup, timeout: CONNECT_MS, allowH2: false, autoSelectFamily: true })

/**
 * The guard stands where sockets are opened. An address in place of a name never asks `lookup` and is judged here; a name is
 * judged by what the `lookup` of its very socket answers, so that the address that was judged is the one that is dialled.
 */
export function guardedConnector(allow: AllowList, resolve: Resolve, open = dialer): buildConnector.connector {
  // By port: the allow-list may name some, and a lookup does not know them.
  const dialers = new Map<number, buildConnector.connector>()
  return (options, callback) => {
    const port = portOf(options)
    if (isIP(options.hostname) !== 0 && !mayDial(options.hostname, port, allow))
      return process.nextTick(callback, refused('must name a public host'), null)
    const dial = dialers.get(port) ?? open(lookupOf(port, allow, resolve))
    dialers.set(port, dial)
    // The socket: whoever no longer waits for the connection ends it.
    return dial(options, callback)
  }
}

const mayDial = (address: string, port: number, allow: AllowList): boolean =>
  isPublicAddress(address) || allow.hasAddress(address, port)

/** The answer, or `refused` if one address of it is not public: whoever mixes them has something in mind. */
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
