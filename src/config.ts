import { createHash } from 'node:crypto'
import { type Static, Type } from '@sinclair/typebox'
import { Ajv } from 'ajv'
import { AllowList } from './lib/allow-list.ts'
import { Nullable, StringEnum } from './lib/schema.ts'
import { fromPrivateKey, fromSecret, type SigningKey } from './lib/signing-keys.ts'

const MIN_SECRET_BYTES = 32
const DEVELOPMENT_SECRET = 'development-only-secret-never-for-production'
/** A secret of one or a few repeated characters is long but not secret. */
const MIN_DISTINCT_CHARACTERS = 8

/** The environment, in the order of `.env.example`. Every variable has a default that suits development. */
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

/** A sentence for each fault, for the person who starts the process; they name the variable, never its value. */
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
  faults.push(...fault, ...faultsOfGoogle(environment), ...faultsOfOutbound(environment))
  if (environment.NODE_ENV === 'production') faults.push(...faultsOfProduction(environment, variables))
  if (faults.length > 0) throw new ConfigError(faults.join('\n'))
  return toConfig(environment, signingKeys)
}

/** Fills in the defaults and converts as it validates. Of a variable that breaks two rules the first is enough. */
function faultsOfSchema(given: Record<string, unknown>): string[] {
  validate(given)
  const messages = new Map<string, string | undefined>()
  for (const { instancePath, message } of (validate.errors ?? []).toReversed()) messages.set(instancePath, message)
  return [...messages].toReversed().map(([path, message]) => `${path.slice(1)} is not valid: it ${message}.`)
}

/** Those that sign access tokens: private keys where there are any, the secrets otherwise. */
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
    // Without its cause: the key must not get into a log.
    const fault = ['JWT_PRIVATE_KEYS is not a list of Ed25519 keys, each the base64 of its PKCS#8 DER.']
    return { signingKeys: [], fault }
  }
}

/** Without TLS only on this machine, for tests, and never in production: whoever is on the way could sign in as anybody. */
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
  const missing = (['DATABASE_URL', 'PUBLIC_URL', 'JWT_SECRET'] as const).filter(name => !given[name])
  const faults = missing.map(name => `${name} is required in production.`)
  const seen = new Map<string, string>()
  for (const { name, secret } of secretsOf(environment)) {
    // The default stands in for what is missing, which has been said.
    if ((missing as string[]).includes(name)) continue
    const hash = createHash('sha256').update(secret).digest('hex')
    const first = seen.get(hash)
    const fault = faultOf(secret) ?? (first && `repeats the value of ${first}`)
    if (fault) faults.push(`${name} ${fault}.`)
    seen.set(hash, first ?? name)
  }
  return faults
}

/** Each secret by itself, also those of a list. */
const secretsOf = ({ JWT_SECRET, JWT_PRIVATE_KEYS, METRICS_TOKEN }: Environment) => [
  ...list(JWT_SECRET).map(secret => ({ name: 'JWT_SECRET', secret })),
  ...list(JWT_PRIVATE_KEYS).map(secret => ({ name: 'JWT_PRIVATE_KEYS', secret })),
  ...(METRICS_TOKEN === null ? [] : [{ name: 'METRICS_TOKEN', secret: METRICS_TOKEN }]),
]

function faultOf(secret: string): string | undefined {
  if (secret === DEVELOPMENT_SECRET) return 'is the development default'
  if (Buffer.byteLength(secret) < MIN_SECRET_BYTES) return `is shorter than ${MIN_SECRET_BYTES} bytes`
  if (new Set(secret).size < MIN_DISTINCT_CHARACTERS) return 'repeats a few characters'
  return undefined
}

const list = (text: string): string[] => text.split(',').flatMap(item => item.trim() || [])

function toConfig(environment: Environment, signingKeys: SigningKey[]) {
  const production = environment.NODE_ENV === 'production'
  const publicUrl = environment.PUBLIC_URL ?? `http://localhost:${environment.PORT}`
  return {
    environment: environment.NODE_ENV,
    production,
    host: environment.HOST,
    port: environment.PORT,
    /** Where clients reach this service; problem types start with it. */
    publicUrl,
    /** The front end; links in mails start with it. Without one they lead to pages of ours. */
    appUrl: environment.APP_URL ?? publicUrl,
    /** Null: the embedded server. */
    databaseUrl: environment.DATABASE_URL,
    databasePool: environment.DATABASE_POOL,
    databaseFastPath: environment.DATABASE_FAST_PATH === 'on',
    dataDirectory: environment.DATA_DIR,
    /** The first issues refresh tokens, all verify. */
    jwtSecrets: list(environment.JWT_SECRET),
    /** The first signs access tokens, all verify. */
    signingKeys,
    /** Null: nobody signs in with Google. */
    google: googleOf(environment),
    metricsToken: environment.METRICS_TOKEN,
    smtpUrl: environment.SMTP_URL,
    mailFrom: environment.MAIL_FROM,
    corsOrigins: list(environment.CORS_ORIGINS),
    /** CIDRs of the proxies whose forwarded headers count. */
    trustProxy: list(environment.TRUST_PROXY),
    outboundPorts: list(environment.OUTBOUND_PORTS).map(Number),
    /** Hosts that we may send to although they are not public. */
    outboundAllow: outboundAllowOf(environment),
    /** Whether public hosts may be sent to without TLS. */
    outboundHttp: environment.NODE_ENV === 'development',
    /** Requests per minute of one principal, and of one address. */
    rateLimit: environment.RATE_LIMIT,
    maxEventLoopDelayMs: environment.MAX_EVENT_LOOP_DELAY_MS,
    unverifiedLogin: environment.UNVERIFIED_LOGIN ?? !production,
    serves: environment.ROLE !== 'worker',
    works: environment.ROLE !== 'api',
    logLevel: environment.LOG_LEVEL,
    /** Between failing readiness and closing the listener: longer than the balancer's check. */
    drainDelayMs: environment.DRAIN_DELAY_MS,
  }
}

/** On a developer's machine the receiver of an example runs beside us. */
const outboundAllowOf = ({ NODE_ENV, OUTBOUND_ALLOW }: Environment): string[] =>
  list(OUTBOUND_ALLOW ?? (NODE_ENV === 'development' ? 'localhost,127.0.0.0/8,::1' : ''))

function googleOf({
  GOOGLE_CLIENT_ID: clientId,
  GOOGLE_CLIENT_SECRET: clientSecret,
  GOOGLE_ISSUER: issuer,
}: Environment) {
  return clientId === null || clientSecret === null ? null : { clientId, clientSecret, issuer }
}
