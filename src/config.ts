import { type Static, Type } from '@sinclair/typebox'
import { Value } from '@sinclair/typebox/value'
import { Nullable, StringEnum } from './lib/schema.ts'

/** The environment, in the order of `.env.example`; every variable has a default that suits development. */
export const Environment = Type.Object({
  NODE_ENV: StringEnum(['development', 'test', 'production'], { default: 'development' }),
  HOST: Type.String({ default: '127.0.0.1' }),
  PORT: Type.Integer({ minimum: 0, maximum: 65535, default: 3000 }),
  PUBLIC_URL: Nullable(Type.String({ pattern: '^https?://[^/]+$' }), { default: null }),
  ROLE: StringEnum(['both', 'api', 'worker'], { default: 'both' }),
  DATABASE_URL: Nullable(Type.String({ pattern: '^postgres(ql)?://' }), { default: null }),
  DATABASE_POOL: Type.Integer({ minimum: 2, maximum: 200, default: 10 }),
  DATA_DIR: Type.String({ default: '.data' }),
  JWT_SECRET: Nullable(Type.String(), { default: null }),
  METRICS_TOKEN: Nullable(Type.String(), { default: null }),
  UNVERIFIED_LOGIN: Nullable(Type.Boolean(), { default: null }),
  SMTP_URL: Nullable(Type.String({ pattern: '^smtps?://' }), { default: null }),
  MAIL_FROM: Type.String({ default: 'Lintel <no-reply@localhost>' }),
  CORS_ORIGINS: Type.String({ default: '' }),
  TRUST_PROXY: Type.String({ default: '' }),
  RATE_LIMIT: Type.Integer({ minimum: 1, default: 600 }),
  LOG_LEVEL: StringEnum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'], { default: 'info' }),
  DRAIN_DELAY_MS: Type.Integer({ minimum: 0, maximum: 60_000, default: 0 }),
})
