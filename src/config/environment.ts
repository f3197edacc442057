import { type Static, Type } from '@sinclair/typebox'
import { Nullable, StringEnum } from '../lib/schema.ts'

export const DEVELOPMENT_SECRET = 'development-only-secret-never-for-production'
/** 32 bytes: `development-only-encryption-key!` */
export const DEVELOPMENT_KEY = 'ZGV2ZWxvcG1lbnQtb25seS1lbmNyeXB0aW9uLWtleSE='

/** The published schedule: 0, 5 s, 5 m, 30 m, 2 h, 5 h, 10 h, 14 h, 20 h, 24 h. */
const WEBHOOK_SCHEDULE = '0,5,300,1800,7200,18000,36000,50400,72000,86400'

/** The samplers of the OpenTelemetry specification. */
const SAMPLERS = [
  'always_on',
  'always_off',
  'traceidratio',
  'parentbased_always_on',
  'parentbased_always_off',
  'parentbased_traceidratio',
] as const

/** The environment variables, in the order of `.env.example`. Each has a default that suits development. */
export const Environment = Type.Object(
  {
    NODE_ENV: StringEnum(['development', 'test', 'production'], { default: 'development' }),
    HOST: Type.String({ default: '127.0.0.1' }),
    PORT: Type.Integer({ minimum: 0, maximum: 65_535, default: 3000 }),
    PUBLIC_URL: Nullable(Type.String({ pattern: '^https?://[^/?#]+$' }), { default: null }),
    APP_URL: Nullable(Type.String({ pattern: '^https?://[^?#]+[^/?#]$' }), { default: null }),
    DATABASE_URL: Nullable(Type.String({ pattern: '^postgres(ql)?://' }), { default: null }),
    DATABASE_POOL: Type.Integer({ minimum: 3, maximum: 200, default: 10 }),
    DATABASE_ACQUIRE_MS: Type.Integer({ minimum: 100, maximum: 60_000, default: 1_000 }),
    DATABASE_REPLICA_URLS: Type.String({ pattern: '^( *postgres(ql)?://[^,\\s]+ *(,|$))*$', default: '' }),
    DATABASE_REPLICA_LAG_MS: Type.Integer({ minimum: 100, maximum: 10_000, default: 1_000 }),
    DATABASE_FAST_PATH: StringEnum(['on', 'off'], { default: 'on' }),
    REDIS_URL: Nullable(Type.String({ pattern: '^rediss?://' }), { default: null }),
    REDIS_TIMEOUT_MS: Type.Integer({ minimum: 10, maximum: 60_000, default: 100 }),
    CACHE_TTL_MS: Type.Integer({ minimum: 0, maximum: 3_600_000, default: 0 }),
    DATA_DIR: Type.String({ default: '.data' }),
    JWT_SECRET: Type.String({ default: DEVELOPMENT_SECRET }),
    JWT_PRIVATE_KEYS: Type.String({ default: '' }),
    ENCRYPTION_KEYS: Type.String({ default: DEVELOPMENT_KEY }),
    GOOGLE_CLIENT_ID: Nullable(Type.String(), { default: null }),
    GOOGLE_CLIENT_SECRET: Nullable(Type.String(), { default: null }),
    GOOGLE_ISSUER: Type.String({ pattern: '^https?://[^?#]+$', default: 'https://accounts.google.com' }),
    METRICS_TOKEN: Nullable(Type.String(), { default: null }),
    OTEL_EXPORTER_OTLP_ENDPOINT: Nullable(Type.String({ pattern: '^https?://[^?#\\s]+[^/?#\\s]$' }), { default: null }),
    OTEL_SERVICE_NAME: Type.String({ minLength: 1, default: 'lintel' }),
    OTEL_TRACES_SAMPLER: StringEnum([...SAMPLERS], { default: 'parentbased_always_on' }),
    OTEL_TRACES_SAMPLER_ARG: Type.Number({ minimum: 0, maximum: 1, default: 1 }),
    RPC_URL: Nullable(Type.String({ pattern: '^https?://[^#\\s]+$' }), { default: null }),
    SMTP_URL: Nullable(Type.String({ pattern: '^smtps?://' }), { default: null }),
    MAIL_FROM: Type.String({ default: 'Lintel <no-reply@localhost>' }),
    CORS_ORIGINS: Type.String({ default: '' }),
    TRUST_PROXY: Type.String({ default: '' }),
    OUTBOUND_PORTS: Type.String({ pattern: '^\\d{1,5}( *, *\\d{1,5})*$', default: '80,443,8080,8443' }),
    OUTBOUND_ALLOW: Nullable(Type.String(), { default: null }),
    WEBHOOK_TIMEOUT_MS: Type.Integer({ minimum: 100, maximum: 60_000, default: 15_000 }),
    WEBHOOK_SCHEDULE: Type.String({ pattern: '^\\d{1,6}( *, *\\d{1,6})*$', default: WEBHOOK_SCHEDULE }),
    SUBSCRIPTION_LAST_RESORT: StringEnum(['canceled', 'unpaid'], { default: 'canceled' }),
    FILE_MAX_BYTES: Type.Integer({ minimum: 1, maximum: 1_099_511_627_776, default: 104_857_600 }),
    FILE_DIRECT_MAX_BYTES: Type.Integer({ minimum: 1, maximum: 5_368_709_120, default: 5_368_709_120 }),
    FILE_QUOTA_BYTES: Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER, default: 10_737_418_240 }),
    S3_BUCKET: Nullable(Type.String({ minLength: 3, maxLength: 63 }), { default: null }),
    S3_REGION: Type.String({ minLength: 1, default: 'us-east-1' }),
    S3_ENDPOINT: Nullable(Type.String({ pattern: '^https?://[^?#\\s]+[^/?#\\s]$' }), { default: null }),
    S3_ACCESS_KEY_ID: Nullable(Type.String(), { default: null }),
    S3_SECRET_ACCESS_KEY: Nullable(Type.String(), { default: null }),
    STRIPE_SECRET_KEY: Nullable(Type.String({ pattern: '^[A-Za-z0-9_]+$' }), { default: null }),
    STRIPE_WEBHOOK_SECRET: Type.String({ default: '' }),
    STRIPE_BASE_URL: Type.String({ pattern: '^https?://[^?#\\s]+[^/?#\\s]$', default: 'https://api.stripe.com' }),
    AI_BASE_URL: Nullable(Type.String({ pattern: '^https?://[^?#\\s]+[^/?#\\s]$' }), { default: null }),
    AI_API_KEY: Nullable(Type.String(), { default: null }),
    AI_MODEL: Nullable(Type.String(), { default: null }),
    AI_TIMEOUT_MS: Type.Integer({ minimum: 100, maximum: 600_000, default: 60_000 }),
    AI_MAX_TOKENS: Type.Integer({ minimum: 1, maximum: 1_000_000, default: 4_096 }),
    AI_INPUT_PRICE_CENTS: Type.Number({ minimum: 0, maximum: 1_000_000, default: 0 }),
    AI_OUTPUT_PRICE_CENTS: Type.Number({ minimum: 0, maximum: 1_000_000, default: 0 }),
    AI_MONTHLY_BUDGET_CENTS: Nullable(Type.Integer({ minimum: 0, maximum: 1_000_000_000 }), { default: null }),
    EVENT_RETENTION_DAYS: Nullable(Type.Integer({ minimum: 1, maximum: 36_500 }), { default: null }),
    RATE_LIMIT: Type.Integer({ minimum: 1, default: 600 }),
    MAX_EVENT_LOOP_DELAY_MS: Type.Integer({ minimum: 10, maximum: 60_000, default: 400 }),
    MAX_REQUESTS_IN_FLIGHT: Type.Integer({ minimum: 10, maximum: 1_000_000, default: 1_000 }),
    UNVERIFIED_LOGIN: Nullable(Type.Boolean(), { default: null }),
    ROLE: StringEnum(['both', 'api', 'worker'], { default: 'both' }),
    LOG_LEVEL: StringEnum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'], { default: 'info' }),
    DRAIN_DELAY_MS: Type.Integer({ minimum: 0, maximum: 60_000, default: 0 }),
  },
  { additionalProperties: false },
)
export type Environment = Static<typeof Environment>

/** The items of a variable that holds a list. */
export const list = (text: string): string[] => text.split(',').flatMap(item => item.trim() || [])
