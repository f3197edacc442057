import { BlockList, isIP } from 'node:net'

/**
 * IPv4 ranges that no public host has: IANA's special-purpose registry (RFC 6890), multicast, reserved ranges, and the
 * internal address of a cloud that is outside of those (168.63.129.16, Azure).
 */
const INTERNAL_V4 = [
  '0.0.0.0/8',
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  '169.254.0.0/16',
  '172.16.0.0/12',
  '192.0.0.0/24',
  '192.0.2.0/24',
  '192.88.99.0/24',
  '192.168.0.0/16',
  '198.18.0.0/15',
  '198.51.100.0/24',
  '203.0.113.0/24',
  '224.0.0.0/4',
  '240.0.0.0/4',
  '168.63.129.16/32',
]

/**
 * The only IPv6 range that is assigned to public hosts. Mapped IPv4, NAT64, ULA, link-local and multicast are all
 * outside.
 */
const GLOBAL_V6 = '2000::/3'

/**
 * Special ranges inside it: protocol assignments with Teredo and ORCHID, documentation (RFC 3849, RFC 9637) and 6to4,
 * which contains an IPv4 address.
 */
const INTERNAL_V6 = ['2001::/23', '2001:db8::/32', '2002::/16', '3fff::/20']

/** A prefix length without digits would be read as 0, which is every address. */
const CIDR = /^(?<address>[\da-f.:]+)\/(?<bits>\d{1,3})$/i

/** Returns a list of the addresses in the CIDRs. Throws for an invalid one. */
export function subnets(...cidrs: string[]): BlockList {
  const list = new BlockList()
  for (const cidr of cidrs) {
    const { address = '', bits } = CIDR.exec(cidr)?.groups ?? {}
    list.addSubnet(address, Number(bits), isIP(address) === 6 ? 'ipv6' : 'ipv4')
  }
  return list
}

const internal = { ipv4: subnets(...INTERNAL_V4), ipv6: subnets(...INTERNAL_V6) }
const globalV6 = subnets(GLOBAL_V6)

/**
 * Whether an address is reachable for everybody on the Internet. It must have the plain form that a resolver or `new
 * URL` returns.
 */
export function isPublicAddress(address: string): boolean {
  const version = isIP(address)
  if (version === 0 || address.includes('%')) return false
  if (version === 4) return !internal.ipv4.check(address, 'ipv4')
  return globalV6.check(address, 'ipv6') && !internal.ipv6.check(address, 'ipv6')
}
