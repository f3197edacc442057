import { type BlockList, isIP } from 'node:net'
import { subnets } from './public-address.ts'

/** `[2001:db8::/32]:8443`, `10.2.0.0/16:8443`, `hooks.internal:8443`, each also without a port, and IPv6 without brackets. */
const ENTRY = /^(?:\[(?<v6>[^\]]+)\]|(?<plain>[^:[\]]+))(?::(?<port>\d{1,5}))?$/
const NAME = /^[a-z0-9_-]+(\.[a-z0-9_-]+)*$/
const MAX_PORT = 65_535

interface Entry {
  /** Null: every port. */
  port: number | null
  /** A name, which is trusted whatever it leads to, or addresses. */
  of: string | BlockList
}

/** Destinations that the operator trusts although they are not public. */
export class AllowList {
  readonly #entries: Entry[]

  /** Throws for an entry that is no name, address or CIDR. */
  constructor(entries: string[]) {
    this.#entries = entries.map(entryOf)
  }

  hasName(name: string, port: number): boolean {
    return this.#entries.some(({ of, port: only }) => of === name && (only === null || only === port))
  }

  hasAddress(address: string, port: number): boolean {
    const family = isIP(address) === 6 ? 'ipv6' : 'ipv4'
    return this.#entries.some(
      ({ of, port: only }) => typeof of !== 'string' && (only === null || only === port) && of.check(address, family),
    )
  }
}

function entryOf(text: string): Entry {
  const { v6, plain, port } = ENTRY.exec(text)?.groups ?? {}
  if (Number(port ?? 0) > MAX_PORT) throw new TypeError('no port')
  return { port: port === undefined ? null : Number(port), of: destinationsOf((v6 ?? plain ?? text).toLowerCase()) }
}

function destinationsOf(text: string): string | BlockList {
  if (text.includes('/')) return subnets(text)
  if (isIP(text) !== 0) return subnets(`${text}/${isIP(text) === 6 ? 128 : 32}`)
  // An international name in the form in which it is asked for; a number that means an address is one.
  const name = new URL(`http://${text}`).hostname
  if (isIP(name) !== 0) return destinationsOf(name)
  if (!NAME.test(name)) throw new TypeError('no host')
  return name
}
