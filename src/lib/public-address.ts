import { BlockList, isIP } from 'node:net'

/**
 * IPv4 that no public host has: the special-purpose registry of IANA (RFC 6890), multicast, what is reserved, and the one
 * address of a cloud's inside that lies among public ones (168.63.129.16, Azure).
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

/** The only IPv6 that is handed out to hosts. Mapped IPv4, NAT64, ULA, link-local and multicast all lie outside. */
const GLOBAL_V6 = '2000::/3'

/** Inside it: protocol assignments with Teredo and ORCHID, documentation (RFC 3849, RFC 9637) and 6to4, which holds an IPv4. */
const INTERNAL_V6 = ['2001::/23', '2001:db8::/32', '2002::/16', '3fff::/20']

/** The addresses of CIDRs. Throws for what is none. */
export function subnets(...cidrs: string[]): BlockList {
  const list = new BlockList()
  for (const cidr of cidrs) {
    const [address = '', bits] = cidr.split('/')
    list.addSubnet(address, Number(bits), isIP(address) === 6 ? 'ipv6' : 'ipv4')
  }
  return list
}

const internal = { ipv4: subnets(...INTERNAL_V4), ipv6: subnets(...INTERNAL_V6) }
const globalV6 = subnets(GLOBAL_V6)

/** Whether an address, in the plain form that a resolver or `new URL` gives, is one that anybody on the Internet can reach. */
export function isPublicAddress(address: string): boolean {
  const version = isIP(address)
  if (version === 0 || address.includes('%')) return false
  if (version === 4) return !internal.ipv4.check(address, 'ipv4')
  return globalV6.check(address, 'ipv6') && !internal.ipv6.check(address, 'ipv6')
}
