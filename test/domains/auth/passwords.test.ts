import { hash } from '@node-rs/argon2'
import t from 'tap'
import { createUser, PASSWORD } from '../../helpers/actors.ts'
import { testApp } from '../../helpers/app.ts'
import { call } from '../../helpers/call.ts'

const test = await testApp(t)
const { app, sql } = test
let addresses = 0

const newAddress = () => `person-${++addresses}@example.com`
const register = (password: string, email = newAddress()) =>
  call(app, 'POST /auth/register', { body: { email, password, name: 'Ada' } })
const login = (email: string, password = PASSWORD) => call(app, 'POST /auth/login', { body: { email, password } })
const hashOf = async (email: string): Promise<string> =>
  (await sql('select password_hash as stored from users where email = $1', [email]))[0].stored
const setHash = (email: string, stored: string) =>
  sql('update users set password_hash = $2 where email = $1', [email, stored])

const NOW = /^\$argon2id\$v=19\$m=19456,t=2,p=1\$/
const WEAK = { memoryCost: 1_024, timeCost: 1, parallelism: 1 }

t.test('the passwords that guessers try first are refused, in whatever case', async t => {
  const users = await sql('select from users')
  for (const password of ['password', 'PassWord', '12345678', 'iloveyou', 'QWERTYUIOP', 'trustno1']) {
    const { body } = await register(password)
    t.match(body, { status: 422, code: 'validation_failed', errors: [{ pointer: '#/password' }] }, password)
    t.match(body.errors[0].detail, /most common/)
  }
  t.equal((await sql('select from users')).length, users.length, 'nobody was registered')
  t.equal((await register('password of mine')).status, 201, 'a word of the list among others is good')
})

t.test('a password has 8 to 128 characters, whatever bytes they take, and composed ones count once', async t => {
  const statusOf = async (password: string) => (await register(password)).status
  t.equal(await statusOf('1b$efgh'), 422, '7')
  t.equal(await statusOf('1b$efghi'), 201, '8')
  t.equal(await statusOf('x'.repeat(127).concat('y')), 201, '128')
  t.equal(await statusOf('x'.repeat(128).concat('y')), 422, '129')
  t.equal(await statusOf('🦊'.repeat(7)), 422, '7 of 4 bytes')
  t.equal(await statusOf('🦊'.repeat(128)), 201, '128 of 4 bytes')
  t.equal(await statusOf('e\u0301'.repeat(7)), 422, '7 that came as 14 code points')
})

t.test('nothing of a password is cut off, and both ways to write an accent are one', async t => {
  const [long, accented] = [newAddress(), newAddress()]
  await register(`${'x'.repeat(127)}y`, long)
  t.equal((await login(long, 'x'.repeat(127))).status, 401)
  t.equal((await login(long, `${'x'.repeat(127)}z`)).status, 401)
  t.equal((await login(long, `${'x'.repeat(127)}y`)).status, 200)
  await register('caf\u00e9 cr\u00e8me', accented)
  t.equal((await login(accented, 'cafe\u0301 cre\u0300me')).status, 200)
  t.equal((await login(accented, 'cafe creme')).status, 401)
})

t.test('a hash of other parameters is replaced by the next login, and by nothing else', async t => {
  const { email } = await createUser(test)
  const weak = await hash(PASSWORD, WEAK)
  await setHash(email, weak)
  const version = () => sql('select version, updated_at from users where email = $1', [email])
  const before = await version()
  t.equal((await login(email, 'wrong password')).status, 401)
  t.equal(await hashOf(email), weak)
  t.equal((await login(email)).status, 200)
  const renewed = await hashOf(email)
  t.match(renewed, NOW)
  t.same(await version(), before, 'the user has not changed')
  t.equal((await login(email)).status, 200)
  t.equal(await hashOf(email), renewed, 'a hash of today stays')
})

t.test('many logins with an old hash at once all succeed and leave one good hash', async t => {
  const { email } = await createUser(test)
  const answers = await Promise.all(Array.from({ length: 8 }, () => login(email)))
  t.ok(answers.every(({ status }) => status === 200))
  t.match(await hashOf(email), NOW)
  t.equal((await login(email)).status, 200)
})

t.test('no session begins with a password that was changed while it was being checked', async t => {
  const { email, id, sessionId, headers } = await createUser(test)
  await login(email)
  const body = { currentPassword: PASSWORD, newPassword: 'another good one' }
  const [change, ...logins] = await Promise.all([
    call(app, 'POST /auth/password/change', { as: { headers }, body }),
    ...Array.from({ length: 6 }, () => login(email)),
  ])
  t.equal(change.status, 204)
  const live = await sql('select id from sessions where user_id = $1 and ended_at is null', [id])
  t.same(live, [{ id: sessionId }], 'those that began before it have ended')
  t.ok(logins.every(({ status }) => status === 200 || status === 401))
})

t.test('who has no password cannot log in with any', async t => {
  const { email } = await createUser(test)
  await sql('update users set password_hash = null where email = $1', [email])
  for (const password of [PASSWORD, 'null', 'the password of an unknown user'])
    t.match((await login(email, password)).body, { status: 401, code: 'invalid_credentials' }, password)
})
