import { isIP, isIPv4 } from 'node:net'

/**
 * Matches `192.0.2.1:47011`, `[2001:db8::1]:443` and `[2001:db8::1]`; a port is digits, or `_` and a name (RFC 7239
 * §6).
 */
const WITH_PORT = /^(?:([\d.]+)|\[([^\]]*)\])(?::(?:\d{1,5}|_[\w.-]+))?$/
const QUOTED = /^"(.*)"$/
/** The zone of an IPv6 address. It has a meaning only on the host that wrote it (RFC 4007 §11.2). */
const ZONE = /%.*$/
const MAPPED = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i

/** Returns one form for each address: an IPv4 client on an IPv6 socket gets its IPv4 address. */
export function plainAddress(address: string): string {
  return address.startsWith('::') ? (MAPPED.exec(address)?.[1] ?? address) : address
}

/**
 * Returns the address in a node of `X-Forwarded-For`, in any form of RFC 7239 §6: plain, with a port, in brackets, in
 * quotes, with a zone. Undefined for anything else: `unknown`, `_hidden`, other text.
 */
export function addressOfNode(node: string): string | undefined {
  if (isIPv4(node)) return node
  const bare = QUOTED.exec(node)?.[1] ?? node
  const [, v4, v6] = WITH_PORT.exec(bare) ?? []
  const address = plainAddress((v4 ?? v6 ?? bare).replace(ZONE, ''))
  return isIP(address) === 0 || (v6 !== undefined && isIP(v6.replace(ZONE, '')) !== 6) ? undefined : address
}
