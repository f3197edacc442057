import { isIP } from 'node:net'
import type { AllowList } from '../../lib/allow-list.ts'
import { isPublicAddress } from '../../lib/public-address.ts'
import { refused } from './errors.ts'

export interface DestinationRules {
  allow: AllowList
  ports: number[]
  /** Whether `http:` is allowed for hosts that are not on the allow-list. */
  http: boolean
}

const MAX_URL = 2_048
/** The longest host name (RFC 1035 §2.3.4). */
const MAX_NAME = 253
const LABEL = /^(?!-)[a-z0-9_-]{1,63}(?<!-)$/
/** Names of this machine or its network, with any resolver (RFC 6761, 6762, 8375; ICANN for `internal`). */
const INSIDE = /(^|\.)(localhost|local|internal|localdomain|home\.arpa)$/
/** Characters that `new URL` would repair or drop; two parsers could repair them differently. */
const REPAIRED = /[\s\\\p{Cc}]/u
const SHAPE = /^https?:\/\/(?<authority>[^/?#]+)/i

/** Returns the host without the brackets of IPv6. */
export const hostOf = ({ hostname }: URL): string => hostname.replace(/^\[|\]$/g, '')

export const portOf = ({ port, protocol }: { port: string; protocol: string }): number =>
  port === '' ? (protocol === 'https:' ? 443 : 80) : Number(port)

/**
 * Returns the URL in normal form. Throws `refused` for one that can never be requested, whatever its name resolves to.
 */
export function destinationOf(text: string, { allow, ports, http }: DestinationRules): URL {
  const url = parse(text)
  const host = hostOf(url)
  const port = portOf(url)
  if (allow.hasName(host, port) || (isIP(host) !== 0 && allow.hasAddress(host, port))) return url
  if (url.protocol === 'http:' && !http) throw refused('must begin with https://')
  if (!ports.includes(port)) throw refused(`must use one of the ports ${ports.join(', ')}`)
  if (!(isPublicAddress(host) || isPublicName(host))) throw refused('must name a public host')
  return url
}

function parse(text: string): URL {
  if (text.length > MAX_URL) throw refused(`must have at most ${MAX_URL} characters`)
  const authority = SHAPE.exec(text)?.groups?.authority
  if (authority === undefined || REPAIRED.test(text) || !URL.canParse(text)) throw refused('must be an https URL')
  if (authority.includes('@')) throw refused('must not have a user name or a password')
  return new URL(text)
}

function isPublicName(host: string): boolean {
  const labels = host.split('.')
  if (host.length > MAX_NAME || labels.length < 2 || isIP(host) !== 0) return false
  return labels.every(label => LABEL.test(label)) && !INSIDE.test(host)
}
