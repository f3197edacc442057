import { isIP, isIPv4 } from 'node:net'

/** `192.0.2.1:47011`, `[2001:db8::1]:443` and `[2001:db8::1]`; a port is digits, or `_` and a name (RFC 7239 §6). */
const WITH_PORT = /^(?:([\d.]+)|\[([^\]]*)\])(?::(?:\d{1,5}|_[\w.-]+))?$/
const QUOTED = /^"(.*)"$/
/** The network interface of whoever wrote it; it means nothing anywhere else (RFC 4007 §11.2). */
const ZONE = /%.*$/
const MAPPED = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i

/** One form for each address: an IPv4 client of an IPv6 socket is an IPv4 client. */
export function plainAddress(address: string): string {
  return address.startsWith('::') ? (MAPPED.exec(address)?.[1] ?? address) : address
}

/**
 * The address in a node of `X-Forwarded-For`, in any form that RFC 7239 §6 has for it: bare, with a port, in brackets, in
 * quotes, with a zone. Undefined for what is none: `unknown`, `_hidden`, nonsense.
 */
export function addressOfNode(node: string): string | undefined {
  if (isIPv4(node)) return node
  const bare = QUOTED.exec(node)?.[1] ?? node
  const [, v4, v6] = WITH_PORT.exec(bare) ?? []
  const address = plainAddress((v4 ?? v6 ?? bare).replace(ZONE, ''))
  return isIP(address) === 0 || (v6 !== undefined && isIP(v6.replace(ZONE, '')) !== 6) ? undefined : address
}
