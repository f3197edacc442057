import { AppError, defineErrors, type ErrorDefinition } from '../../lib/errors.ts'

/**
 * Why a request got no response: refused by us, name not found, no connection, no TLS connection, timeout, connection
 * lost, invalid HTTP.
 */
export type OutboundKind = 'refused' | 'dns' | 'connect' | 'tls' | 'timeout' | 'reset' | 'protocol'

const definitions = {
  destination_refused: {
    status: 422,
    title: 'Destination not allowed',
    help: 'This service sends nothing to the URL: it is not https, has credentials or an unusual port, or does not lead to a public address; `detail` says which. Use an https URL of a public host on an ordinary port; who operates the service can allow others by `OUTBOUND_ALLOW`.',
  },
  upstream_failed: {
    status: 502,
    title: 'Another service failed',
    help: 'A service that this operation needs could not be reached or gave no valid answer; `detail` says how it failed. Try again later; a write with an `Idempotency-Key` cannot happen twice.',
  },
  upstream_timeout: {
    status: 504,
    title: 'Another service did not answer in time',
    help: 'A service that this operation needs took too long, and what it was asked for may or may not have happened. Try again later; a write with an `Idempotency-Key` cannot happen twice.',
  },
} satisfies Record<string, ErrorDefinition>

export const outboundErrors = defineErrors(definitions)

const codes: Partial<Record<OutboundKind, keyof typeof definitions>> = {
  refused: 'destination_refused',
  timeout: 'upstream_timeout',
}

/**
 * An outgoing request without a response. Its `reason` may be shown to a tenant; `cause` may contain internal addresses
 * and must not.
 */
export class OutboundError extends AppError {
  readonly kind: OutboundKind
  readonly reason: string

  constructor(kind: OutboundKind, reason: string, cause?: unknown) {
    const code = codes[kind] ?? 'upstream_failed'
    super(code, definitions[code], { detail: reason, cause })
    this.kind = kind
    this.reason = reason
  }
}

export const refused = (reason: string): OutboundError => new OutboundError('refused', reason)

/** The same text for an unknown name and for an internal one: a tenant must not learn which internal names exist. */
export const NO_PUBLIC_ADDRESS = 'the host name leads to no public address'

const NO_HANDSHAKE = 'no secure connection: the TLS handshake failed'

const byCode: Record<string, [OutboundKind, string]> = {
  ECONNREFUSED: ['connect', 'the connection was refused'],
  EHOSTUNREACH: ['connect', 'the host cannot be reached'],
  ENETUNREACH: ['connect', 'the host cannot be reached'],
  EADDRNOTAVAIL: ['connect', 'the host cannot be reached'],
  EMFILE: ['connect', 'no connection could be opened'],
  ETIMEDOUT: ['connect', 'no connection within the time for it'],
  UND_ERR_CONNECT_TIMEOUT: ['connect', 'no connection within the time for it'],
  UND_ERR_HEADERS_TIMEOUT: ['timeout', 'no answer in time'],
  UND_ERR_BODY_TIMEOUT: ['timeout', 'the answer stopped halfway'],
  UND_ERR_HEADERS_OVERFLOW: ['protocol', 'the headers of the answer are too large'],
  UND_ERR_RES_CONTENT_LENGTH_MISMATCH: ['protocol', 'the answer is not as long as it says'],
  CERT_HAS_EXPIRED: ['tls', 'the certificate has expired'],
  ERR_TLS_CERT_ALTNAME_INVALID: ['tls', 'the certificate is for another host'],
  EPROTO: ['tls', NO_HANDSHAKE],
}

const HANDSHAKE = /^ERR_SSL/
const CERTIFICATE = /^(ERR_TLS|CERT_|SELF_SIGNED|DEPTH_ZERO|UNABLE_TO_|HOSTNAME_MISMATCH|INVALID_)/
const MISUSE = /^UND_ERR_(INVALID_|NOT_SUPPORTED|REQ_CONTENT)/

/**
 * Turns an error of undici, TLS or the socket into an `OutboundError`. A request that cannot be sent at all is our bug
 * and is returned unchanged.
 */
export function asOutboundError(error: unknown): unknown {
  if (error instanceof OutboundError) return error
  const { code = '', name } = error as NodeJS.ErrnoException
  if (MISUSE.test(code)) return error
  const [kind, reason] = byCode[code] ?? ofFamily(code, name)
  return new OutboundError(kind, reason, error)
}

function ofFamily(code: string, name: string): [OutboundKind, string] {
  if (HANDSHAKE.test(code)) return ['tls', NO_HANDSHAKE]
  if (CERTIFICATE.test(code)) return ['tls', 'the certificate is not trusted']
  if (name === 'HTTPParserError') return ['protocol', 'the answer is not valid HTTP']
  return ['reset', 'the connection was closed before the answer was complete']
}
