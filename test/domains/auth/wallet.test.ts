import t from 'tap'
import type { Hex, PrivateKeyAccount } from 'viem'
import { createUser } from '../../helpers/actors.ts'
import { testApp } from '../../helpers/app.ts'
import { call } from '../../helpers/call.ts'
import { newWallet, signInWithWallet, signMessage } from '../../helpers/wallet.ts'

const test = await testApp(t)
const { app, sql, config } = test
const bearer = (token: string) => ({ headers: { authorization: `Bearer ${token}` } })
const verify = (message: string, signature: string) =>
  call(app, 'POST /auth/wallet/verify', { body: { message, signature } })
const invalid = { status: 400, code: 'wallet_proof_invalid' }
const ownersOf = async ({ address }: PrivateKeyAccount) =>
  (await sql(`select user_id from identities where provider = 'wallet' and subject = $1`, [address])).map(
    ({ user_id }: { user_id: string }) => user_id,
  )
const usersNamed = async ({ address }: PrivateKeyAccount) =>
  sql('select id from users where email is null and name = $1', [`${address.slice(0, 6)}…${address.slice(-4)}`])

t.test('a new wallet makes an account without an address, and the next sign-in finds it', async t => {
  const wallet = newWallet()
  const first = await signInWithWallet(test, wallet)
  t.equal(first.status, 200, first.text)
  t.equal(first.headers['cache-control'], 'no-store')
  t.match(first.body, { tokenType: 'Bearer', expiresIn: 900 })
  const name = `${wallet.address.slice(0, 6)}…${wallet.address.slice(-4)}`
  t.match(first.body.user, { email: null, emailVerifiedAt: null, name, role: 'user', status: 'active' })
  t.equal((await call(app, 'GET /users/me', { as: bearer(first.body.accessToken) })).status, 200)
  const second = await signInWithWallet(test, wallet)
  t.equal(second.body.user.id, first.body.user.id)
  t.same(await ownersOf(wallet), [first.body.user.id])
  const events = await sql('select type, data from events where actor_id = $1 order by seq', [first.body.user.id])
  t.same(
    events.map(({ type }: { type: string }) => type),
    ['user.registered', 'identity.linked', 'session.started', 'session.started'],
  )
  t.notMatch(JSON.stringify(events), new RegExp(wallet.address, 'i'), 'the log does not name the wallet')
})

t.test(
  'the message names the front end, the wallet, the chain and five minutes, whatever the Host header says',
  async t => {
    const { address } = newWallet()
    const headers = { host: 'evil.example', 'x-forwarded-host': 'evil.example' }
    const body = { address: address.toLowerCase(), chainId: 137 }
    const { status, body: answer } = await call(app, 'POST /auth/wallet/nonce', { body, headers })
    t.equal(status, 200)
    t.match(answer.nonce, /^[\da-f]{64}$/)
    const [head, account, ...lines] = answer.message.split('\n')
    t.equal(head, `${new URL(config.appUrl).host} wants you to sign in with your Ethereum account:`)
    t.equal(account, address, 'with its checksum')
    t.match(lines.join('\n'), `URI: ${config.appUrl}\nVersion: 1\nChain ID: 137\nNonce: ${answer.nonce}\n`)
    const [issued, expires] = ['Issued At', 'Expiration Time'].map(name =>
      Date.parse(new RegExp(`${name}: (.+)`).exec(answer.message)?.[1] as string),
    ) as [number, number]
    t.equal(expires - issued, 300_000)
    const [row] = await sql(
      `select subject, user_id from tokens where purpose = 'wallet_nonce' and subject like '137:%'`,
    )
    t.same(row, { subject: `137:${address}`, user_id: null })
  },
)

t.test('a message counts once', async t => {
  const { message, signature } = await signMessage(test, newWallet())
  t.equal((await verify(message, signature)).status, 200)
  t.match((await verify(message, signature)).body, invalid)
})

t.test('of many uses of one message at once exactly one wins', async t => {
  const wallet = newWallet()
  const { message, signature } = await signMessage(test, wallet)
  const answers = await Promise.all(Array.from({ length: 10 }, () => verify(message, signature)))
  const won = answers.filter(({ status }) => status === 200)
  t.equal(won.length, 1)
  for (const { status, body } of answers) if (status !== 200) t.match(body, invalid)
  const [owner] = await ownersOf(wallet)
  t.equal((await sql('select from sessions where user_id = $1', [owner])).length, 1)
})

t.test('of many first sign-ins with one wallet at once one makes the account, and all get it', async t => {
  const wallet = newWallet()
  const answers = await Promise.all(Array.from({ length: 6 }, () => signInWithWallet(test, wallet)))
  t.ok(answers.every(({ status }) => status === 200))
  t.equal(new Set(answers.map(({ body }) => body.user.id)).size, 1)
  t.equal((await usersNamed(wallet)).length, 1)
})

t.test('the case of the address and the form of the signature lead to the same account', async t => {
  const wallet = newWallet()
  const { id } = (await signInWithWallet(test, wallet)).body.user
  const lower = await signMessage(test, wallet)
  const message = lower.message.replace(wallet.address, wallet.address.toLowerCase())
  t.equal((await verify(message, await wallet.signMessage({ message }))).body.user.id, id, 'in lower case')

  const other = await signMessage(test, wallet)
  t.equal((await verify(other.message, twin(other.signature))).body.user.id, id, 'the signature with the other s')
  t.match((await verify(other.message, other.signature)).body, invalid, 'and both spend the one nonce')
  const zero = await signMessage(test, wallet)
  const recoveryBit = zero.signature.replace(/1b$/, '00').replace(/1c$/, '01')
  t.equal((await verify(zero.message, recoveryBit)).body.user.id, id, 'v of 0 and 1')
  t.equal((await ownersOf(wallet)).length, 1)
})

const ORDER = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n
/** Returns the second valid signature that anybody can compute from a signature (EIP-2). */
function twin(signature: Hex): string {
  const s = ORDER - BigInt(`0x${signature.slice(66, 130)}`)
  return `${signature.slice(0, 66)}${s.toString(16).padStart(64, '0')}${signature.endsWith('1b') ? '1c' : '1b'}`
}

t.test('what is not signed for this site, this wallet, this chain and this moment is refused', async t => {
  const wallet = newWallet()
  const mallory = newWallet()
  const { host } = new URL(config.appUrl)
  const minutes = (offset: number) => new Date(Date.now() + offset * 60_000).toISOString()
  const line = (name: string, value: string) => (text: string) =>
    text.replace(new RegExp(`(${name}: ).*`), (_, label: string) => label + value)
  const forgeries: Record<string, (message: string) => string> = {
    'another domain': text => text.replace(host, 'evil.example'),
    'a domain that only begins alike': text => text.replace(host, `${host}.evil.example`),
    'another scheme': text => `http://${text}`,
    'another uri': line('URI', 'https://evil.example/'),
    'another version': line('Version', '2'),
    'another chain': line('Chain ID', '2'),
    'another address': text => text.replace(wallet.address, mallory.address),
    'a nonce of its own': line('Nonce', 'a'.repeat(64)),
    'the nonce in capitals': text => text.replace(/Nonce: .*/, found => found.toUpperCase().replace('NONCE', 'Nonce')),
    expired: line('Expiration Time', minutes(-1)),
    'expired in no time': line('Expiration Time', 'never'),
    'issued long ago': line('Issued At', minutes(-60)),
    'issued in the future': line('Issued At', minutes(10)),
    'issued on no day': line('Issued At', '2026-02-31T00:00:00.000Z'),
    'not before tomorrow': text => `${text}\nNot Before: ${minutes(60)}`,
    'another message behind it': text => `${text}\n\n${text}`,
    'a line behind it': text => `${text}\nResources:\n- not a uri`,
    'another message in the statement': text => text.replace('Sign in to Lintel.', `x\n\n${text}`),
    'other ends of lines': text => text.replaceAll('\n', '\r\n'),
    'a space at the end': text => `${text} `,
    'no message': () => 'x',
    'half a message': text => text.slice(0, text.length / 2),
  }
  for (const [why, forge] of Object.entries(forgeries)) {
    const { message } = await signMessage(test, wallet)
    const forged = forge(message)
    t.not(forged, message, why)
    t.match((await verify(forged, await wallet.signMessage({ message: forged }))).body, invalid, why)
  }
  t.same(await ownersOf(wallet), [])
})

t.test('a message that another wallet signed, or nobody, is refused, and its nonce stays good', async t => {
  const wallet = newWallet()
  const { message, signature } = await signMessage(test, wallet)
  const forged: Record<string, string> = {
    'another wallet': await newWallet().signMessage({ message }),
    'another message': await wallet.signMessage({ message: `${message}.` }),
    zeros: `0x${'0'.repeat(130)}`,
    ones: `0x${'f'.repeat(130)}`,
    'no point of the curve': `0x${'0'.repeat(63)}5${'0'.repeat(63)}11b`,
    's of zero': `${signature.slice(0, 66)}${'0'.repeat(64)}1b`,
    'v of nothing': `${signature.slice(0, 130)}63`,
    'the other v': signature.slice(0, 130) + (signature.endsWith('1b') ? '1c' : '1b'),
  }
  for (const [why, bad] of Object.entries(forged)) t.match((await verify(message, bad)).body, invalid, why)
  for (const bad of ['0x', signature.slice(0, -2), `${signature}00`, signature.slice(2), 'x'])
    t.equal((await verify(message, bad)).status, 422, bad.slice(0, 10))
  t.equal((await verify(message, signature)).status, 200)
})

t.test('a nonce ends after five minutes, is stored as its hash, and is no other kind of token', async t => {
  const wallet = newWallet()
  const { nonce, message, signature } = await signMessage(test, wallet)
  for (const table of ['tokens', 'events', 'jobs.job'])
    t.equal((await sql(`select from ${table} r where r::text like '%' || $1 || '%'`, [nonce])).length, 0, table)
  for (const path of ['verify-email', 'email/confirm'])
    t.equal((await call(app, `POST /auth/${path}`, { body: { token: nonce } })).status, 400, path)
  await sql(`update tokens set expires_at = now() - interval '1 second' where subject = $1`, [`1:${wallet.address}`])
  t.match((await verify(message, signature)).body, invalid)
})

t.test('who is deactivated is refused', async t => {
  const wallet = newWallet()
  const { id } = (await signInWithWallet(test, wallet)).body.user
  await sql(`update users set status = 'deactivated' where id = $1`, [id])
  t.match((await signInWithWallet(test, wallet)).body, { status: 403, code: 'account_deactivated' })
})

const link = async (as: { headers: Record<string, string> }, wallet: PrivateKeyAccount, more: object = {}) => {
  const { message, signature } = await signMessage(test, wallet)
  return call(app, 'POST /auth/wallet/link', { as, body: { message, signature, ...more } })
}

t.test('a linked wallet signs in to the account that linked it, and to no second one', async t => {
  const [owner, other] = [await createUser(test), await createUser(test)]
  const wallet = newWallet()
  const linked = await link(owner, wallet)
  t.match(linked.body, { provider: 'wallet', subject: wallet.address })
  t.equal((await link(owner, wallet)).body.id, linked.body.id, 'twice is once')
  t.equal((await signInWithWallet(test, wallet)).body.user.id, owner.id)
  t.match((await link(other, wallet)).body, { status: 409, code: 'identity_taken' })
  t.same(await ownersOf(wallet), [owner.id])
  const own = newWallet()
  await signInWithWallet(test, own)
  t.match((await link(owner, own)).body, { status: 409, code: 'identity_taken' }, 'one with an account of its own')
})

t.test('of two accounts that link one wallet at once exactly one gets it', async t => {
  const users = await Promise.all([createUser(test), createUser(test), createUser(test)])
  const wallet = newWallet()
  const statuses = (await Promise.all(users.map(user => link(user, wallet)))).map(({ status }) => status)
  t.same(statuses.toSorted(), [200, 409, 409])
  t.equal((await ownersOf(wallet)).length, 1)
})

t.test('linking asks for the password once the sign-in is ten minutes old', async t => {
  const owner = await createUser(test)
  await sql(`update sessions set created_at = now() - interval '11 minutes' where id = $1`, [owner.sessionId])
  t.match((await link(owner, newWallet())).body, { status: 403, code: 'reauthentication_required' })
  t.match((await link(owner, newWallet(), { password: 'wrong password' })).body, {
    status: 403,
    code: 'password_wrong',
  })
  t.equal((await link(owner, newWallet(), { password: 'demo-password' })).status, 200)
})
