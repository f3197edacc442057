import { generateKeyPairSync, type KeyObject, randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import t from 'tap'
import { Environment } from '../src/config/environment.ts'
import { ConfigError, loadConfig } from '../src/config.ts'

const SECRET = '0f4b8a1c6d2e9735-kq7Zr1Wm-x93hVbNpLs5Ty'
const OTHER = 'Jm29sLqXwZ-4Tn8vRyKp6Bd1Gc3Hf7Ae5Uo0Ei'
const KEY = randomBytes(32).toString('base64')
const NO_KEYS = 'ENCRYPTION_KEYS is not a list of keys, each the base64 of 32 bytes.'
const PRODUCTION = {
  NODE_ENV: 'production',
  DATABASE_URL: 'postgres://lintel@db.internal/lintel',
  PUBLIC_URL: 'https://api.example.com',
  JWT_SECRET: SECRET,
  ENCRYPTION_KEYS: KEY,
}

/** The sentence with which the start is refused. */
function refusal(changes: Record<string, string | undefined>): string {
  try {
    loadConfig({ ...PRODUCTION, ...changes })
  } catch (error) {
    if (error instanceof ConfigError) return error.message
    throw error
  }
  return ''
}

t.test('.env.example names every variable in the order of the configuration, with one comment each', async t => {
  const lines = readFileSync('.env.example', 'utf8').trimEnd().split('\n')
  const variables = lines.filter(line => !line.startsWith('#')).map(line => line.split('=', 1)[0])
  t.same(variables, Object.keys(Environment.properties))
  for (const [at, line] of lines.entries()) t.equal(line.startsWith('#'), at % 2 === 0, `line ${at + 1}: ${line}`)
})

t.test('.env.example holds the defaults and no secret', async t => {
  const given = Object.fromEntries(
    readFileSync('.env.example', 'utf8')
      .split('\n')
      .filter(line => /^[A-Z]/.test(line))
      .map(line => line.split(/=(.*)/s, 2)),
  )
  t.equal(given.JWT_SECRET, '')
  t.same(loadConfig(given), loadConfig({}))
})

t.test('production starts with a database, a public address and a good secret', async t => {
  t.equal(refusal({}), '')
  t.equal(refusal({ METRICS_TOKEN: OTHER }), '')
})

t.test('production names what is missing', async t => {
  for (const name of ['DATABASE_URL', 'PUBLIC_URL', 'JWT_SECRET', 'ENCRYPTION_KEYS']) {
    t.match(refusal({ [name]: undefined }), name, `${name} absent`)
    t.match(refusal({ [name]: '' }), name, `${name} empty`)
  }
})

t.test('everything that is missing, not valid or unsafe is named in one start', async t => {
  const message = refusal({
    DATABASE_URL: undefined,
    PUBLIC_URL: 'api.example.com',
    JWT_SECRET: undefined,
    METRICS_TOKEN: 'short',
    PORT: '70000',
    GOOGLE_CLIENT_ID: 'client',
  })
  const named = message.split('\n').map(line => line.split(' ', 1)[0])
  t.same(named, ['PORT', 'PUBLIC_URL', 'GOOGLE_CLIENT_ID', 'DATABASE_URL', 'JWT_SECRET', 'METRICS_TOKEN'])
})

t.test('production refuses a default, short or trivial secret and names the variable without its value', async t => {
  const bad = [
    'development-only-secret-never-for-production',
    'short-Secret-1234567890-abcdefg',
    'a'.repeat(64),
    'abcabcabcabcabcabcabcabcabcabcabcabcabcabc',
  ]
  for (const secret of bad) {
    for (const [name, value] of [
      ['JWT_SECRET', secret],
      ['JWT_SECRET', `${OTHER}, ${secret}`],
      ['METRICS_TOKEN', secret],
    ] as const) {
      const message = refusal({ [name]: value })
      t.match(message, name, `${name} of ${secret.length} characters`)
      t.notOk(message.includes(secret), 'the value is not in the message')
    }
  }
})

t.test('production refuses one secret in two places and names both without the value', async t => {
  const message = refusal({ METRICS_TOKEN: SECRET })
  t.match(message, 'METRICS_TOKEN')
  t.match(message, 'JWT_SECRET')
  t.notOk(message.includes(SECRET))
  t.match(refusal({ JWT_SECRET: `${SECRET},${OTHER},${SECRET}` }), 'JWT_SECRET repeats')
})

t.test('a list of secrets is read in order, and is never empty', async t => {
  t.same(loadConfig({ JWT_SECRET: `${SECRET}, ${OTHER}` }).jwtSecrets, [SECRET, OTHER])
  t.throws(() => loadConfig({ JWT_SECRET: ' , ' }), { message: 'JWT_SECRET holds no secret.' })
})

t.test(
  'keys for secrets in the database are 32 bytes each, and neither a default nor repeated in production',
  async t => {
    t.ok(loadConfig({}).keyring, 'development has one')
    for (const bad of ['c2hvcnQ=', `${KEY}=`, KEY.slice(0, -1), ` ${KEY},x`, ','])
      t.equal(refusal({ ENCRYPTION_KEYS: bad }).split('\n')[0], NO_KEYS)
    t.equal(refusal({ ENCRYPTION_KEYS: `${KEY}, ${randomBytes(32).toString('base64')}` }), '')
    t.match(refusal({ ENCRYPTION_KEYS: `${KEY},${KEY}` }), 'ENCRYPTION_KEYS repeats')
    const development = Buffer.from('development-only-encryption-key!').toString('base64')
    t.equal(refusal({ ENCRYPTION_KEYS: development }), 'ENCRYPTION_KEYS is the development default.')
  },
)

t.test('private keys are Ed25519 keys, or the start is refused without a word of them', async t => {
  const pkcs8 = (key: KeyObject) => key.export({ format: 'der', type: 'pkcs8' }).toString('base64')
  const [first, second] = [1, 2].map(() => pkcs8(generateKeyPairSync('ed25519').privateKey))
  const { signingKeys } = loadConfig({ ...PRODUCTION, JWT_PRIVATE_KEYS: `${first},${second}` })
  t.same(
    signingKeys.map(({ algorithm }) => algorithm),
    ['EdDSA', 'EdDSA'],
  )
  t.match(refusal({ JWT_PRIVATE_KEYS: `${first},${first}` }), 'JWT_PRIVATE_KEYS repeats')
  const other = pkcs8(generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey)
  for (const key of [other, `${first},${other}`, 'nonsense', (first as string).slice(0, -8)]) {
    const message = refusal({ JWT_PRIVATE_KEYS: key })
    t.match(message, 'JWT_PRIVATE_KEYS is not')
    t.notOk(message.includes(key))
  }
})

t.test('a variable that does not fit is named, its value is not', async t => {
  const bad = {
    NODE_ENV: 'staging',
    PORT: '70000',
    DATABASE_POOL: 'many',
    PUBLIC_URL: 'api.example.com',
    DATABASE_URL: 'mysql://root:hunter2@db',
    SMTP_URL: 'http://user:hunter2@mail',
    ROLE: 'boss',
    LOG_LEVEL: 'loud',
    RATE_LIMIT: '0',
    DRAIN_DELAY_MS: '-1',
    UNVERIFIED_LOGIN: 'maybe',
  }
  for (const [name, value] of Object.entries(bad)) {
    const message = refusal({ [name]: value })
    t.match(message, name, name)
    t.notOk(message.includes(value), `${name} without its value: ${message}`)
  }
})

t.test('Google needs a client with its secret, and TLS but on this machine', async t => {
  const client = { GOOGLE_CLIENT_ID: 'client', GOOGLE_CLIENT_SECRET: 'hunter2' }
  t.equal(loadConfig(PRODUCTION).google, null)
  t.same(loadConfig({ ...PRODUCTION, ...client }).google, {
    clientId: 'client',
    clientSecret: 'hunter2',
    issuer: 'https://accounts.google.com',
  })
  t.match(refusal({ GOOGLE_CLIENT_ID: 'client' }), /GOOGLE_CLIENT_SECRET/)
  t.notMatch(refusal({ GOOGLE_CLIENT_SECRET: 'hunter2' }), /hunter2/)
  const local = 'http://127.0.0.1:4000'
  t.equal(loadConfig({ ...client, GOOGLE_ISSUER: local }).google?.issuer, local)
  for (const GOOGLE_ISSUER of [local, 'http://accounts.google.com', 'http://localhost.evil.example', 'ftp://a.example'])
    t.match(refusal({ ...client, GOOGLE_ISSUER }), 'GOOGLE_ISSUER', GOOGLE_ISSUER)
  for (const GOOGLE_ISSUER of ['http://accounts.google.com', 'http://localhost.evil.example', 'http://localhost@evil'])
    t.throws(() => loadConfig({ ...client, GOOGLE_ISSUER }), { message: /GOOGLE_ISSUER/ }, GOOGLE_ISSUER)
})

t.test('an unverified address may log in in development and not in production, unless it is said', async t => {
  t.equal(loadConfig({}).unverifiedLogin, true)
  t.equal(loadConfig(PRODUCTION).unverifiedLogin, false)
  t.equal(loadConfig({ ...PRODUCTION, UNVERIFIED_LOGIN: 'true' }).unverifiedLogin, true)
  t.equal(loadConfig({ UNVERIFIED_LOGIN: 'false' }).unverifiedLogin, false)
})

t.test('lists are read by comma, roles decide what runs', async t => {
  const config = loadConfig({ CORS_ORIGINS: 'https://a.example, https://b.example,', TRUST_PROXY: '10.0.0.0/8' })
  t.same(config.corsOrigins, ['https://a.example', 'https://b.example'])
  t.same(config.trustProxy, ['10.0.0.0/8'])
  const roles = (['both', 'api', 'worker'] as const).map(ROLE => {
    const { serves, works } = loadConfig({ ROLE })
    return [serves, works]
  })
  t.same(roles, [
    [true, true],
    [true, false],
    [false, true],
  ])
})
