import { type BlockList, isIP } from 'node:net'
import { subnets } from './public-address.ts'

/**
 * Matches `[2001:db8::/32]:8443`, `10.2.0.0/16:8443` and `hooks.internal:8443`, each also without a port, and IPv6 also
 * without brackets.
 */
const ENTRY = /^(?:\[(?<v6>[^\]]+)\]|(?<plain>[^:[\]]+))(?::(?<port>\d{1,5}))?$/
/** Checked before `new URL`, which would drop characters that no host name has. */
const WORD = /^[\p{L}\p{M}\p{N}._-]+$/u
const NAME = /^[a-z0-9_-]+(\.[a-z0-9_-]+)*$/
const MAX_PORT = 65_535

interface Entry {
  /** Null means every port. */
  port: number | null
  /** A host name, which is trusted whatever addresses it has, or a list of addresses. */
  of: string | BlockList
}

/** Destinations that the operator allows although they are not public. */
export class AllowList {
  readonly #entries: Entry[]

  /** Throws for an entry that is not a name, address or CIDR. */
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
  if (!WORD.test(text)) throw new TypeError('no host')
  // Turns an international name into the form that DNS uses, and a number into the address that it stands for.
  const name = new URL(`http://${text}`).hostname
  if (isIP(name) !== 0) return destinationsOf(name)
  if (!NAME.test(name)) throw new TypeError('no host')
  return name
}
