import { createHash } from 'node:crypto'
import { Ajv } from 'ajv'
import { AllowList } from '../lib/allow-list.ts'
import { DEVELOPMENT_KEY, DEVELOPMENT_SECRET, Environment, list } from './environment.ts'

const MIN_SECRET_BYTES = 32
/** A secret that repeats a few characters is long but easy to guess. */
const MIN_DISTINCT_CHARACTERS = 8

const validate = new Ajv({
  allErrors: true,
  coerceTypes: true,
  useDefaults: true,
  removeAdditional: true,
  allowUnionTypes: true,
}).compile<Environment>(Environment)

/** Validates `given`, and also fills in defaults and converts types in it. Returns one fault for each variable. */
export function faultsOfSchema(given: Record<string, unknown>): string[] {
  validate(given)
  const messages = new Map<string, string | undefined>()
  for (const { instancePath, message } of (validate.errors ?? []).toReversed()) messages.set(instancePath, message)
  return [...messages].toReversed().map(([path, message]) => `${path.slice(1)} is not valid: it ${message}.`)
}

/**
 * Plain HTTP is allowed only to this machine, for tests, and never in production: an attacker on the network could sign
 * in as anybody.
 */
const LOOPBACK = /^http:\/\/(localhost|127\.0\.0\.1|\[::1\])(:\d+)?(\/|$)/

export function faultsOfGoogle({
  NODE_ENV,
  GOOGLE_CLIENT_ID,
  GOOGLE_CLIENT_SECRET,
  GOOGLE_ISSUER,
}: Environment): string[] {
  const half = (GOOGLE_CLIENT_ID === null) !== (GOOGLE_CLIENT_SECRET === null)
  const secure = GOOGLE_ISSUER.startsWith('https:') || (NODE_ENV !== 'production' && LOOPBACK.test(GOOGLE_ISSUER))
  return [
    ...(half ? ['GOOGLE_CLIENT_ID and GOOGLE_CLIENT_SECRET go together: one of them is missing.'] : []),
    ...(secure ? [] : ['GOOGLE_ISSUER is not valid: it must begin with https://.']),
  ]
}

export function faultsOfOutbound({ OUTBOUND_ALLOW }: Environment): string[] {
  try {
    new AllowList(list(OUTBOUND_ALLOW ?? ''))
    return []
  } catch {
    return ['OUTBOUND_ALLOW is not a list of host names, addresses and CIDRs, each with :port or without.']
  }
}

export const faultsOfAi = ({ AI_BASE_URL, AI_MODEL }: Environment): string[] =>
  AI_BASE_URL !== null && AI_MODEL === null ? ['AI_BASE_URL and AI_MODEL go together: AI_MODEL is missing.'] : []

export function faultsOfProduction(environment: Environment, given: Record<string, string | undefined>): string[] {
  const missing = (['DATABASE_URL', 'PUBLIC_URL', 'JWT_SECRET', 'ENCRYPTION_KEYS'] as const).filter(
    name => !given[name],
  )
  const faults = missing.map(name => `${name} is required in production.`)
  const seen = new Map<string, string>()
  for (const { name, secret } of secretsOf(environment)) {
    // The variable is missing and holds the default; that fault is already reported.
    if ((missing as string[]).includes(name)) continue
    const hash = createHash('sha256').update(secret).digest('hex')
    const first = seen.get(hash)
    const fault = faultOf(secret) ?? (first && `repeats the value of ${first}`)
    if (fault) faults.push(`${name} ${fault}.`)
    seen.set(hash, first ?? name)
  }
  return faults
}

/** Returns each secret with the name of its variable; lists are split. */
const secretsOf = ({ JWT_SECRET, JWT_PRIVATE_KEYS, ENCRYPTION_KEYS, METRICS_TOKEN }: Environment) => [
  ...list(JWT_SECRET).map(secret => ({ name: 'JWT_SECRET', secret })),
  ...list(JWT_PRIVATE_KEYS).map(secret => ({ name: 'JWT_PRIVATE_KEYS', secret })),
  ...list(ENCRYPTION_KEYS).map(secret => ({ name: 'ENCRYPTION_KEYS', secret })),
  ...(METRICS_TOKEN === null ? [] : [{ name: 'METRICS_TOKEN', secret: METRICS_TOKEN }]),
]

function faultOf(secret: string): string | undefined {
  if ([DEVELOPMENT_SECRET, DEVELOPMENT_KEY].includes(secret)) return 'is the development default'
  if (Buffer.byteLength(secret) < MIN_SECRET_BYTES) return `is shorter than ${MIN_SECRET_BYTES} bytes`
  if (new Set(secret).size < MIN_DISTINCT_CHARACTERS) return 'repeats a few characters'
  return undefined
}
