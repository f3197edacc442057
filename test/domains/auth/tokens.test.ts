import { createHash, createPublicKey, generateKeyPairSync, type KeyObject, verify } from 'node:crypto'
import { createServer } from 'node:http'
import t, { type Test } from 'tap'
import { fromPrivateKey, fromSecret } from '../../../src/lib/signing-keys.ts'
import { createUser, type TestUser } from '../../helpers/actors.ts'
import { anotherNode, testApp } from '../../helpers/app.ts'
import { call } from '../../helpers/call.ts'
import { decode, forge } from '../../helpers/tokens.ts'

const SECRET = '0f4b8a1c6d2e9735-kq7Zr1Wm-x93hVbNpLs5Ty'
const NEXT = 'Jm29sLqXwZ-4Tn8vRyKp6Bd1Gc3Hf7Ae5Uo0Ei'
const KIB = 1024

const edwards = () => generateKeyPairSync('ed25519').privateKey
const keyOf = (key: KeyObject) => fromPrivateKey(key.export({ format: 'der', type: 'pkcs8' }).toString('base64'))
const privateKey = edwards()

const withSecret = await testApp(t, { jwtSecrets: [SECRET], signingKeys: [fromSecret(SECRET)] })
const withKey = await testApp(t, { jwtSecrets: [SECRET], signingKeys: [keyOf(privateKey)] })
const secretUser = await createUser(withSecret, { role: 'user' })
const keyUser = await createUser(withKey)

const bearer = (token: string) => ({ headers: { authorization: `Bearer ${token}` } })
const statusOf = async (token: string, { app } = withSecret) =>
  (await call(app, 'GET /users/me', { as: bearer(token) })).status

async function allRefused(t: Test, forged: Record<string, string>, at: typeof withSecret, { token }: TestUser) {
  for (const [why, attempt] of Object.entries(forged)) t.equal(await statusOf(attempt, at), 401, why)
  t.equal(await statusOf(token, at), 200, 'and the real one is good')
}

t.test(
  'a token says what RFC 9068 asks for, and its key by the first characters of the hash of the secret',
  async t => {
    const { header, claims } = decode(secretUser.token)
    const kid = createHash('sha256').update(SECRET).digest('base64url').slice(0, 8)
    t.same(header, { alg: 'HS256', typ: 'at+jwt', kid })
    t.match(claims, { sub: secretUser.id, sid: secretUser.sessionId, aud: 'lintel', iss: withSecret.config.publicUrl })
    t.equal(claims.exp - claims.iat, 900)
  },
)

t.test('only what was signed here, for this audience and in time, is a token', async t => {
  const { header, claims } = decode(secretUser.token)
  const signed = (changes: object, headers: object = {}) =>
    forge({ ...header, ...headers }, { ...claims, ...changes }, SECRET)
  t.equal(await statusOf(signed({})), 200, 'the forger knows how')
  const [, payload, signature] = secretUser.token.split('.')
  const now = Math.floor(Date.now() / 1000)
  const without = (claim: string) => forge(header, { ...claims, [claim]: undefined }, SECRET)
  await allRefused(
    t,
    {
      'another secret': forge(header, claims, NEXT),
      'no secret': forge(header, claims, ''),
      'the development secret': forge(header, claims, 'development-only-secret-never-for-production'),
      'other claims': forge(header, { ...claims, role: 'admin' }, NEXT),
      'the signature of another token': `${forge(header, { ...claims, role: 'admin' }, null)}${signature}`,
      'no signature': `${secretUser.token.split('.', 2).join('.')}.`,
      'two parts': secretUser.token.split('.', 2).join('.'),
      'four parts': `${secretUser.token}.${signature}`,
      'another audience': signed({ aud: 'other' }),
      'no audience': without('aud'),
      'another issuer': signed({ iss: 'https://elsewhere.example' }),
      'no issuer': without('iss'),
      expired: signed({ exp: now - 1 }),
      'expiry in text': signed({ exp: String(now + 900) }),
      'no expiry': without('exp'),
      'no subject': without('sub'),
      'no session': without('sid'),
      'no role': without('role'),
      'not yet': signed({ nbf: now + 60 }),
      'an identity token': signed({}, { typ: 'JWT' }),
      'no type': signed({}, { typ: undefined }),
      'claims in a list': forge(header, [claims], SECRET),
      'no claims': forge(header, 'null', SECRET),
      'a header that is no JSON': `e30x.${payload}.${signature}`,
      'an empty header': `.${payload}.${signature}`,
    },
    withSecret,
    secretUser,
  )
})

t.test('a token without a signature is none, however its algorithm is written', async t => {
  const { header, claims } = decode(secretUser.token)
  const forged = ['none', 'None', 'NONE', 'nOnE', '', null, 0, [], ['none']].flatMap(alg => [
    [`${JSON.stringify(alg)}`, forge({ ...header, alg }, claims, null)],
    [`${JSON.stringify(alg)}, signed`, forge({ ...header, alg }, claims, SECRET)],
    [`${JSON.stringify(alg)}, without a key`, forge({ alg, typ: 'at+jwt' }, claims, null)],
  ])
  await allRefused(t, Object.fromEntries(forged), withSecret, secretUser)
})

t.test('no other algorithm is taken, not even with the right secret', async t => {
  const { header, claims } = decode(secretUser.token)
  const { privateKey: rsa } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const forged = {
    HS384: forge({ ...header, alg: 'HS384' }, claims, SECRET),
    HS512: forge({ ...header, alg: 'HS512' }, claims, SECRET),
    RS256: forge({ ...header, alg: 'RS256' }, claims, rsa),
    EdDSA: forge({ ...header, alg: 'EdDSA' }, claims, edwards()),
    'EdDSA in name': forge({ ...header, alg: 'EdDSA' }, claims, SECRET),
    hs256: forge({ ...header, alg: 'hs256' }, claims, SECRET),
  }
  await allRefused(t, forged, withSecret, secretUser)
})

t.test('a key is named, never brought along and never fetched', async t => {
  const { header, claims } = decode(secretUser.token)
  let asked = 0
  const server = createServer((_request, response) => {
    asked++
    response.end('{}')
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => server.close())
  const url = `http://127.0.0.1:${(server.address() as { port: number }).port}/keys`
  const own = edwards()
  const jwk = createPublicKey(own).export({ format: 'jwk' })
  const oct = { kty: 'oct', k: Buffer.from(NEXT).toString('base64url'), alg: 'HS256' }
  const kids = [
    undefined,
    '',
    'unknown',
    '../../../../dev/null',
    '/dev/null',
    "' or 1=1 --",
    "x' union select '",
    '__proto__',
    'constructor',
    'toString',
    'a\u0000b',
    7,
    null,
    true,
    [header.kid],
    { kid: header.kid },
    `${header.kid} `,
    header.kid.toLowerCase(),
  ]
  const forged = {
    ...Object.fromEntries(
      kids.flatMap(kid =>
        [SECRET, '', NEXT].map(secret => [
          `kid ${JSON.stringify(kid)} by ${secret}`,
          forge({ ...header, kid }, claims, secret),
        ]),
      ),
    ),
    jku: forge({ ...header, jku: url }, claims, NEXT),
    x5u: forge({ ...header, x5u: url }, claims, NEXT),
    'jwk of a secret': forge({ ...header, jwk: oct }, claims, NEXT),
    'jwk of a key': forge({ ...header, alg: 'EdDSA', jwk }, claims, own),
    'jwk under another name': forge({ ...header, kid: 'mine', jwk: oct }, claims, NEXT),
    crit: forge({ ...header, crit: ['b64'], b64: false }, claims, SECRET),
    'an unknown crit': forge({ ...header, crit: ['exp'], exp: 1 }, claims, SECRET),
  }
  await allRefused(t, forged, withSecret, secretUser)
  t.equal(asked, 0, 'nobody was asked for a key')
})

t.test('a token of another kind is no access token, and of another size neither', async t => {
  const email = 'kinds@example.com'
  const password = 'correct horse battery'
  await call(withSecret.app, 'POST /auth/register', { body: { email, password, name: 'User' } })
  const { refreshToken } = (await call(withSecret.app, 'POST /auth/login', { body: { email, password } })).body
  const { header, claims } = decode(secretUser.token)
  const padded = (bytes: number) => forge(header, { ...claims, padding: 'a'.repeat(bytes) }, SECRET)
  t.equal(await statusOf(padded(KIB)), 200, 'some room is left')
  await allRefused(
    t,
    {
      'a refresh token': refreshToken,
      'the hash of one': createHash('sha256').update(refreshToken).digest('base64url'),
      '4 KiB': padded(4 * KIB),
      '1 MiB': padded(KIB * KIB),
      '1 MiB of dots': '.'.repeat(KIB * KIB),
      '1 MiB of header': `${'e'.repeat(KIB * KIB)}.e30.e30`,
    },
    withSecret,
    secretUser,
  )
  t.equal(
    (await call(withSecret.app, 'POST /auth/refresh', { body: { refreshToken: secretUser.token } })).status,
    401,
    'nor the other way round',
  )
})

t.test('with a private key others can verify our tokens by the published keys', async t => {
  const { header, claims } = decode(keyUser.token)
  const answer = await call(withKey.app, 'GET /.well-known/jwks.json')
  t.equal(answer.headers['cache-control'], 'public, max-age=300')
  const [jwk] = answer.body.keys
  const { x } = createPublicKey(privateKey).export({ format: 'jwk' })
  t.same(answer.body, { keys: [{ kty: 'OKP', crv: 'Ed25519', x, kid: header.kid, alg: 'EdDSA', use: 'sig' }] })
  t.notMatch(answer.text, /"d"/)
  const thumbprint = createHash('sha256').update(`{"crv":"Ed25519","kty":"OKP","x":"${x}"}`).digest('base64url')
  t.same(header, { alg: 'EdDSA', typ: 'at+jwt', kid: thumbprint })
  const [signed, signature] = keyUser.token.split(/\.(?=[^.]*$)/) as [string, string]
  const publicKey = createPublicKey({ key: jwk, format: 'jwk' })
  t.ok(verify(null, Buffer.from(signed), publicKey, Buffer.from(signature, 'base64url')))
  t.equal(await statusOf(forge(header, claims, privateKey), withKey), 200)
  t.same((await call(withSecret.app, 'GET /.well-known/jwks.json')).body, { keys: [] }, 'a secret is not published')
})

t.test('with a private key no secret signs, least of all the public key', async t => {
  const { header, claims } = decode(keyUser.token)
  const publicKey = createPublicKey(privateKey)
  const { x = '' } = publicKey.export({ format: 'jwk' })
  const asSecret = {
    PEM: publicKey.export({ format: 'pem', type: 'spki' }),
    'PEM, trimmed': publicKey.export({ format: 'pem', type: 'spki' }).toString().trim(),
    DER: publicKey.export({ format: 'der', type: 'spki' }),
    'raw bytes': Buffer.from(x, 'base64url'),
    base64url: x,
    'the secret': SECRET,
  }
  const hs256 = { ...header, alg: 'HS256' }
  const forged = Object.fromEntries(
    Object.entries(asSecret).flatMap(([name, key]) => [
      [name, forge(hs256, claims, key)],
      [`${name} as EdDSA`, forge(header, claims, key)],
    ]),
  )
  await allRefused(
    t,
    {
      ...forged,
      'by secret': forge({ ...hs256, kid: fromSecret(SECRET).kid }, claims, SECRET),
      none: forge({ ...header, alg: 'none' }, claims, null),
      'another key': forge(header, claims, edwards()),
      'another key under its own name': forge({ ...header, kid: keyOf(edwards()).kid }, claims, edwards()),
      'no signature': forge(header, claims, null),
    },
    withKey,
    keyUser,
  )
})

t.test('a new secret or key signs nobody out', async t => {
  const email = 'rotation@example.com'
  const password = 'correct horse battery'
  await call(withSecret.app, 'POST /auth/register', { body: { email, password, name: 'User' } })
  const secrets = [NEXT, SECRET]
  const node = await anotherNode(t, withSecret, { jwtSecrets: secrets, signingKeys: secrets.map(fromSecret) })
  const last = await anotherNode(t, withSecret, { jwtSecrets: [NEXT], signingKeys: [fromSecret(NEXT)] })
  const refresh = (app: typeof node, refreshToken: string) =>
    call(app, 'POST /auth/refresh', { body: { refreshToken } })

  const before = (await call(withSecret.app, 'POST /auth/login', { body: { email, password } })).body
  t.equal(await statusOf(before.accessToken, { ...withSecret, app: node }), 200, 'the old access token is good')
  t.equal((await refresh(last, before.refreshToken)).status, 401, 'where nobody knows the old secret it is not')
  const after = await refresh(node, before.refreshToken)
  t.equal(after.status, 200, 'the old refresh token is good')
  t.equal(decode(after.body.accessToken).header.kid, fromSecret(NEXT).kid, 'the new secret signs')
  t.equal(await statusOf(after.body.accessToken, { ...withSecret, app: node }), 200)
  t.equal(await statusOf(after.body.accessToken, { ...withSecret, app: last }), 200, 'and is enough from then on')
  t.equal((await refresh(last, after.body.refreshToken)).status, 200)

  const keys = [keyOf(edwards()), keyOf(privateKey)]
  const keyNode = await anotherNode(t, withKey, { signingKeys: keys })
  t.equal(await statusOf(keyUser.token, { ...withKey, app: keyNode }), 200)
  const published = (await call(keyNode, 'GET /.well-known/jwks.json')).body.keys.map(({ kid }: { kid: string }) => kid)
  t.same(
    published,
    keys.map(({ kid }) => kid),
  )
})
