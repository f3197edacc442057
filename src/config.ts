import { DEVELOPMENT_KEY, type Environment, list } from './config/environment.ts'
import { faultsOfAi, faultsOfGoogle, faultsOfOutbound, faultsOfProduction, faultsOfSchema } from './config/faults.ts'
import { Keyring } from './lib/encryption.ts'
import { fromPrivateKey, fromSecret, type SigningKey } from './lib/signing-keys.ts'

export type Config = ReturnType<typeof toConfig>

/** The message has one sentence for each fault, for the operator. It names the variable, never its value. */
export class ConfigError extends Error {}

/** Reads the environment. Throws one `ConfigError` that names everything that is missing, not valid or unsafe. */
export function loadConfig(variables: Record<string, string | undefined> = process.env): Config {
  const given = Object.fromEntries(Object.entries(variables).filter(([, value]) => value !== ''))
  const environment = given as unknown as Environment
  const faults = faultsOfSchema(given)
  const { signingKeys, fault } = signingKeysOf(environment)
  const { keyring, keyFault } = keyringOf(environment)
  faults.push(
    ...fault,
    ...keyFault,
    ...faultsOfGoogle(environment),
    ...faultsOfOutbound(environment),
    ...faultsOfAi(environment),
  )
  if (environment.NODE_ENV === 'production') faults.push(...faultsOfProduction(environment, variables))
  if (faults.length > 0) throw new ConfigError(faults.join('\n'))
  return toConfig(environment, signingKeys, keyring)
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
    databaseAcquireMs: environment.DATABASE_ACQUIRE_MS,
    replicas: { urls: list(environment.DATABASE_REPLICA_URLS), lagMs: environment.DATABASE_REPLICA_LAG_MS },
    databaseFastPath: environment.DATABASE_FAST_PATH === 'on',
    /** Null: each process counts rate limits for itself. */
    redisUrl: environment.REDIS_URL,
    redisTimeoutMs: environment.REDIS_TIMEOUT_MS,
    /** How long products and posts are kept in memory; 0: not at all. */
    cacheTtlMs: environment.CACHE_TTL_MS,
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
    tracing: tracingOf(environment),
    /** Null: no chain is asked. Often it holds a key. */
    rpcUrl: environment.RPC_URL,
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
    /** What becomes of a subscription whose failed charge was repeated in vain. */
    subscriptionLastResort: environment.SUBSCRIPTION_LAST_RESORT,
    files: {
      maxBytes: environment.FILE_MAX_BYTES,
      directMaxBytes: environment.FILE_DIRECT_MAX_BYTES,
      quotaBytes: environment.FILE_QUOTA_BYTES,
    },
    s3: s3Of(environment),
    stripe: stripeOf(environment, publicUrl),
    ai: aiOf(environment),
    /** Null: events are kept for ever. */
    eventRetentionDays: environment.EVENT_RETENTION_DAYS,
    /** Requests per minute, for each principal and for each address. */
    rateLimit: environment.RATE_LIMIT,
    maxRequestsInFlight: environment.MAX_REQUESTS_IN_FLIGHT,
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

/** Null without a collector: no span is recorded. */
const tracingOf = (environment: Environment) =>
  environment.OTEL_EXPORTER_OTLP_ENDPOINT === null
    ? null
    : {
        endpoint: environment.OTEL_EXPORTER_OTLP_ENDPOINT,
        serviceName: environment.OTEL_SERVICE_NAME,
        sampler: environment.OTEL_TRACES_SAMPLER,
        ratio: environment.OTEL_TRACES_SAMPLER_ARG,
      }

/** Null without a bucket: files are kept on the local disk. */
const s3Of = (environment: Environment) =>
  environment.S3_BUCKET === null
    ? null
    : {
        bucket: environment.S3_BUCKET,
        region: environment.S3_REGION,
        endpoint: environment.S3_ENDPOINT,
        accessKeyId: environment.S3_ACCESS_KEY_ID,
        secretAccessKey: environment.S3_SECRET_ACCESS_KEY,
      }

/** Null without a key: the sandbox takes the money then. */
const stripeOf = (environment: Environment, publicUrl: string) =>
  environment.STRIPE_SECRET_KEY === null
    ? null
    : {
        secretKey: environment.STRIPE_SECRET_KEY,
        webhookSecrets: list(environment.STRIPE_WEBHOOK_SECRET),
        baseUrl: environment.STRIPE_BASE_URL,
        returnUrl: environment.APP_URL ?? publicUrl,
      }

/** Without an address the built-in echo answers. Prices are for a million tokens. */
const aiOf = (environment: Environment) => ({
  baseUrl: environment.AI_BASE_URL,
  apiKey: environment.AI_API_KEY,
  model: environment.AI_MODEL,
  timeoutMs: environment.AI_TIMEOUT_MS,
  maxOutputTokens: environment.AI_MAX_TOKENS,
  prices: { inputCents: environment.AI_INPUT_PRICE_CENTS, outputCents: environment.AI_OUTPUT_PRICE_CENTS },
  monthlyBudgetCents: environment.AI_MONTHLY_BUDGET_CENTS,
})

function googleOf({
  GOOGLE_CLIENT_ID: clientId,
  GOOGLE_CLIENT_SECRET: clientSecret,
  GOOGLE_ISSUER: issuer,
}: Environment) {
  return clientId === null || clientSecret === null ? null : { clientId, clientSecret, issuer }
}
