import { createHash } from 'node:crypto'
import { type Static, Type } from '@sinclair/typebox'
import { Ajv } from 'ajv'
import { AllowList } from './lib/allow-list.ts'
import { Keyring } from './lib/encryption.ts'
import { Nullable, StringEnum } from './lib/schema.ts'
import { fromPrivateKey, fromSecret, type SigningKey } from './lib/signing-keys.ts'

const MIN_SECRET_BYTES = 32
const DEVELOPMENT_SECRET = 'development-only-secret-never-for-production'
/** 32 bytes: `development-only-encryption-key!` */
const DEVELOPMENT_KEY = 'ZGV2ZWxvcG1lbnQtb25seS1lbmNyeXB0aW9uLWtleSE='
/** A secret that repeats a few characters is long but easy to guess. */
const MIN_DISTINCT_CHARACTERS = 8

/** The published schedule: 0, 5 s, 5 m, 30 m, 2 h, 5 h, 10 h, 14 h, 20 h, 24 h. */
const WEBHOOK_SCHEDULE = '0,5,300,1800,7200,18000,36000,50400,72000,86400'

/** The environment variables, in the order of `.env.example`. Each has a default that suits development. */
export const Environment = Type.Object(
  {
    NODE_ENV: StringEnum(['development', 'test', 'production'], { default: 'development' }),
    HOST: Type.String({ default: '127.0.0.1' }),
    PORT: Type.Integer({ minimum: 0, maximum: 65_535, default: 3000 }),
    PUBLIC_URL: Nullable(Type.String({ pattern: '^https?://[^/?#]+$' }), { default: null }),
    APP_URL: Nullable(Type.String({ pattern: '^https?://[^?#]+[^/?#]$' }), { default: null }),
    DATABASE_URL: Nullable(Type.String({ pattern: '^postgres(ql)?://' }), { default: null }),
    DATABASE_POOL: Type.Integer({ minimum: 2, maximum: 200, default: 10 }),
    DATABASE_FAST_PATH: StringEnum(['on', 'off'], { default: 'on' }),
    DATA_DIR: Type.String({ default: '.data' }),
    JWT_SECRET: Type.String({ default: DEVELOPMENT_SECRET }),
    JWT_PRIVATE_KEYS: Type.String({ default: '' }),
    ENCRYPTION_KEYS: Type.String({ default: DEVELOPMENT_KEY }),
    GOOGLE_CLIENT_ID: Nullable(Type.String(), { default: null }),
    GOOGLE_CLIENT_SECRET: Nullable(Type.String(), { default: null }),
    GOOGLE_ISSUER: Type.String({ pattern: '^https?://[^?#]+$', default: 'https://accounts.google.com' }),
    METRICS_TOKEN: Nullable(Type.String(), { default: null }),
    SMTP_URL: Nullable(Type.String({ pattern: '^smtps?://' }), { default: null }),
    MAIL_FROM: Type.String({ default: 'Lintel <no-reply@localhost>' }),
    CORS_ORIGINS: Type.String({ default: '' }),
    TRUST_PROXY: Type.String({ default: '' }),
    OUTBOUND_PORTS: Type.String({ pattern: '^\\d{1,5}( *, *\\d{1,5})*$', default: '80,443,8080,8443' }),
    OUTBOUND_ALLOW: Nullable(Type.String(), { default: null }),
    WEBHOOK_TIMEOUT_MS: Type.Integer({ minimum: 100, maximum: 60_000, default: 15_000 }),
    WEBHOOK_SCHEDULE: Type.String({ pattern: '^\\d{1,6}( *, *\\d{1,6})*$', default: WEBHOOK_SCHEDULE }),
    FILE_MAX_BYTES: Type.Integer({ minimum: 1, maximum: 1_099_511_627_776, default: 104_857_600 }),
    FILE_QUOTA_BYTES: Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER, default: 10_737_418_240 }),
    EVENT_RETENTION_DAYS: Nullable(Type.Integer({ minimum: 1, maximum: 36_500 }), { default: null }),
    RATE_LIMIT: Type.Integer({ minimum: 1, default: 600 }),
    MAX_EVENT_LOOP_DELAY_MS: Type.Integer({ minimum: 10, maximum: 60_000, default: 400 }),
    UNVERIFIED_LOGIN: Nullable(Type.Boolean(), { default: null }),
    ROLE: StringEnum(['both', 'api', 'worker'], { default: 'both' }),
    LOG_LEVEL: StringEnum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'], { default: 'info' }),
    DRAIN_DELAY_MS: Type.Integer({ minimum: 0, maximum: 60_000, default: 0 }),
  },
  { additionalProperties: false },
)
type Environment = Static<typeof Environment>

export type Config = ReturnType<typeof toConfig>

/** The message has one sentence for each fault, for the operator. It names the variable, never its value. */
export class ConfigError extends Error {}

const validate = new Ajv({
  allErrors: true,
  coerceTypes: true,
  useDefaults: true,
  removeAdditional: true,
  allowUnionTypes: true,
}).compile<Environment>(Environment)

/** Reads the environment. Throws one `ConfigError` that names everything that is missing, not valid or unsafe. */
export function loadConfig(variables: Record<string, string | undefined> = process.env): Config {
  const given = Object.fromEntries(Object.entries(variables).filter(([, value]) => value !== ''))
  const environment = given as unknown as Environment
  const faults = faultsOfSchema(given)
  const { signingKeys, fault } = signingKeysOf(environment)
  const { keyring, keyFault } = keyringOf(environment)
  faults.push(...fault, ...keyFault, ...faultsOfGoogle(environment), ...faultsOfOutbound(environment))
  if (environment.NODE_ENV === 'production') faults.push(...faultsOfProduction(environment, variables))
  if (faults.length > 0) throw new ConfigError(faults.join('\n'))
  return toConfig(environment, signingKeys, keyring)
}

/** Validates `given`, and also fills in defaults and converts types in it. Returns one fault for each variable. */
function faultsOfSchema(given: Record<string, unknown>): string[] {
  validate(given)
  const messages = new Map<string, string | undefined>()
  for (const { instancePath, message } of (validate.errors ?? []).toReversed()) messages.set(instancePath, message)
  return [...messages].toReversed().map(([path, message]) => `${path.slice(1)} is not valid: it ${message}.`)
}

/** Returns the keys for access tokens: `JWT_PRIVATE_KEYS` when it is set, otherwise the secrets. */
function signingKeysOf({ JWT_SECRET, JWT_PRIVATE_KEYS }: Environment): { signingKeys: SigningKey[]; fault: string[] } {
  const secrets = list(JWT_SECRET)
  if (secrets.length === 0) return { signingKeys: [], fault: ['JWT_SECRET holds no secret.'] }
  const privateKeys = list(JWT_PRIVATE_KEYS)
  try {
    return {
      signingKeys: privateKeys.length > 0 ? privateKeys.map(fromPrivateKey) : secrets.map(fromSecret),
      fault: [],
    }
  } catch {
    // The caught error is not passed on as a cause: the key must not get into a log.
    const fault = ['JWT_PRIVATE_KEYS is not a list of Ed25519 keys, each the base64 of its PKCS#8 DER.']
    return { signingKeys: [], fault }
  }
}

/** Returns the keys for secrets in the database; faults are reported without their value. */
function keyringOf({ ENCRYPTION_KEYS }: Environment): { keyring: Keyring; keyFault: string[] } {
  try {
    return { keyring: new Keyring(list(ENCRYPTION_KEYS)), keyFault: [] }
  } catch {
    const keyFault = ['ENCRYPTION_KEYS is not a list of keys, each the base64 of 32 bytes.']
    return { keyring: new Keyring([DEVELOPMENT_KEY]), keyFault }
  }
}

/**
 * Plain HTTP is allowed only to this machine, for tests, and never in production: an attacker on the network could sign
 * in as anybody.
 */
const LOOPBACK = /^http:\/\/(localhost|127\.0\.0\.1|\[::1\])(:\d+)?(\/|$)/

function faultsOfGoogle({ NODE_ENV, GOOGLE_CLIENT_ID, GOOGLE_CLIENT_SECRET, GOOGLE_ISSUER }: Environment): string[] {
  const half = (GOOGLE_CLIENT_ID === null) !== (GOOGLE_CLIENT_SECRET === null)
  const secure = GOOGLE_ISSUER.startsWith('https:') || (NODE_ENV !== 'production' && LOOPBACK.test(GOOGLE_ISSUER))
  return [
    ...(half ? ['GOOGLE_CLIENT_ID and GOOGLE_CLIENT_SECRET go together: one of them is missing.'] : []),
    ...(secure ? [] : ['GOOGLE_ISSUER is not valid: it must begin with https://.']),
  ]
}

function faultsOfOutbound({ OUTBOUND_ALLOW }: Environment): string[] {
  try {
    new AllowList(list(OUTBOUND_ALLOW ?? ''))
    return []
  } catch {
    return ['OUTBOUND_ALLOW is not a list of host names, addresses and CIDRs, each with :port or without.']
  }
}

function faultsOfProduction(environment: Environment, given: Record<string, string | undefined>): string[] {
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

const list = (text: string): string[] => text.split(',').flatMap(item => item.trim() || [])

function toConfig(environment: Environment, signingKeys: SigningKey[], keyring: Keyring) {
  const production = environment.NODE_ENV === 'production'
  const publicUrl = environment.PUBLIC_URL ?? `http://localhost:${environment.PORT}`
  return {
    environment: environment.NODE_ENV,
    production,
    host: environment.HOST,
    port: environment.PORT,
    /** The URL where clients reach this service; problem types start with it. */
    publicUrl,
    /** The URL of the front end; links in mails start with it. Without `APP_URL` they lead to pages of this service. */
    appUrl: environment.APP_URL ?? publicUrl,
    /** Null: use the embedded server. */
    databaseUrl: environment.DATABASE_URL,
    databasePool: environment.DATABASE_POOL,
    databaseFastPath: environment.DATABASE_FAST_PATH === 'on',
    dataDirectory: environment.DATA_DIR,
    /** The first secret signs refresh tokens; all of them verify. */
    jwtSecrets: list(environment.JWT_SECRET),
    /** The first key signs access tokens; all of them verify. */
    signingKeys,
    /** Encrypts secrets in the database, such as those of webhooks. */
    keyring,
    /** Null: signing in with Google is off. */
    google: googleOf(environment),
    metricsToken: environment.METRICS_TOKEN,
    smtpUrl: environment.SMTP_URL,
    mailFrom: environment.MAIL_FROM,
    corsOrigins: list(environment.CORS_ORIGINS),
    /** CIDRs of the proxies whose forwarded headers are trusted. */
    trustProxy: list(environment.TRUST_PROXY),
    outboundPorts: list(environment.OUTBOUND_PORTS).map(Number),
    /** Hosts that outgoing requests may reach although they are not public. */
    outboundAllow: outboundAllowOf(environment),
    /** Whether outgoing requests to public hosts may go without TLS. */
    outboundHttp: environment.NODE_ENV === 'development',
    /** The time limit of one attempt of a webhook; a lease of an endpoint lasts twice as long. */
    webhookTimeoutMs: environment.WEBHOOK_TIMEOUT_MS,
    /** The seconds before each attempt of a delivery. */
    webhookSchedule: list(environment.WEBHOOK_SCHEDULE).map(Number),
    files: { maxBytes: environment.FILE_MAX_BYTES, quotaBytes: environment.FILE_QUOTA_BYTES },
    /** Null: events are kept for ever. */
    eventRetentionDays: environment.EVENT_RETENTION_DAYS,
    /** Requests per minute, for each principal and for each address. */
    rateLimit: environment.RATE_LIMIT,
    maxEventLoopDelayMs: environment.MAX_EVENT_LOOP_DELAY_MS,
    unverifiedLogin: environment.UNVERIFIED_LOGIN ?? !production,
    serves: environment.ROLE !== 'worker',
    works: environment.ROLE !== 'api',
    logLevel: environment.LOG_LEVEL,
    /**
     * The time between failing readiness and closing the listener; it must be longer than the load balancer's check
     * interval.
     */
    drainDelayMs: environment.DRAIN_DELAY_MS,
  }
}

/** In development the receiver of an example usually runs on the same machine. */
const outboundAllowOf = ({ NODE_ENV, OUTBOUND_ALLOW }: Environment): string[] =>
  list(OUTBOUND_ALLOW ?? (NODE_ENV === 'development' ? 'localhost,127.0.0.0/8,::1' : ''))

function googleOf({
  GOOGLE_CLIENT_ID: clientId,
  GOOGLE_CLIENT_SECRET: clientSecret,
  GOOGLE_ISSUER: issuer,
}: Environment) {
  return clientId === null || clientSecret === null ? null : { clientId, clientSecret, issuer }
}
