import t from 'tap'
import { createUser, PASSWORD } from '../../helpers/actors.ts'
import { testApp } from '../../helpers/app.ts'
import { type Answer, call } from '../../helpers/call.ts'
import { statementsOf } from '../../helpers/statements.ts'

// These tests check that responses and work are equal; `npm run bench:timing` measures the time.

const test = await testApp(t)
const { app, sql } = test

/** Public operations that take an email address. */
const questions: Record<string, (email: string) => Promise<Answer>> = {
  register: email => call(app, 'POST /auth/register', { body: { email, password: 'a password of mine', name: 'Ada' } }),
  login: email => call(app, 'POST /auth/login', { body: { email, password: 'a wrong password' } }),
  forgot: email => call(app, 'POST /auth/password/forgot', { body: { email } }),
  resend: email => call(app, 'POST /auth/verify-email/resend', { body: { email } }),
}

/** Every state of an account. */
const states: Record<string, string | undefined> = {
  'an ordinary user': undefined,
  'who never confirmed the address': 'email_verified_at = null',
  'who has no password': 'password_hash = null',
  'who is deactivated': `status = 'deactivated'`,
  'who is about to be erased': `erase_at = now() + interval '1 day'`,
  'an admin': `role = 'admin'`,
}

async function addressOf(state: string | undefined): Promise<string> {
  const { id, email } = await createUser(test)
  if (state) await sql(`update users set ${state} where id = $1`, [id])
  return email
}

/** Returns the whole response, without ids, times and the address. */
function bytesOf({ status, headers, text }: Answer, email: string): object {
  const variable = ['date', 'request-id']
  const fixed = Object.entries(headers).filter(([name]) => !variable.includes(name))
  const body = text
    .replaceAll(email, '<address>')
    .replace(/"id":"[\da-f-]{36}"/, '<id>')
    .replace(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z/g, '<time>')
    .replace(/"requestId":"[^"]+"/, '<request>')
  return { status, headers: fixed, body }
}

async function asked(ask: (email: string) => Promise<Answer>, email: string) {
  let bytes = {}
  const statements = await statementsOf(app, async () => {
    bytes = bytesOf(await ask(email), email)
  })
  return { bytes, statements }
}

let strangers = 0
/** Returns an unknown address of the same length as the address of a user. */
const stranger = () => `user-00000000-0000-7000-8000-${String(++strangers).padStart(12, '0')}@example.com`

for (const [name, ask] of Object.entries(questions))
  t.test(
    `${name}: an address with an account gets the same bytes after the same statements as one without`,
    async t => {
      const unknown = await asked(ask, stranger())
      t.ok(unknown.statements.length > 0)
      for (const [whose, state] of Object.entries(states))
        t.same(await asked(ask, await addressOf(state)), unknown, whose)
    },
  )

t.test('a repeated registration is in the log with the account it met, and changes nothing of it', async t => {
  const { id, email } = await createUser(test)
  const row = () => sql('select * from users where id = $1', [id])
  const before = await row()
  await questions.register?.(email)
  t.same(await row(), before)
  const [event] = await sql(
    `select actor_type, data from events where type = 'user.registration_repeated'
    and target_id = $1`,
    [id],
  )
  t.same(event, { actor_type: 'system', data: { id, role: 'user', status: 'active' } })
  t.equal((await call(app, 'POST /auth/login', { body: { email, password: PASSWORD } })).status, 200)
})
