import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import pg from 'pg'
import t from 'tap'
import { startLintel } from '../../faults/lintel.ts'
import { createDatabase } from '../../helpers/database.ts'
import { awaitLink } from '../../helpers/mail.ts'

/** Every secret that was sent or handed out; none may be found anywhere but where it belongs. */
const canaries = new Set<string>()
const secret = (text: string): string => {
  canaries.add(text)
  return text
}
const problems: string[] = []

const { url: databaseUrl, drop } = await createDatabase()
t.teardown(drop)
const database = new pg.Client({ connectionString: databaseUrl })
await database.connect()
t.teardown(() => database.end())
const lintel = await startLintel(t, { databaseUrl, env: { LOG_LEVEL: 'trace' } })

async function send(operation: string, body: object, { token = '', key = '' } = {}) {
  const [method, path] = operation.split(' ')
  const headers: Record<string, string> = { 'content-type': 'application/json' }
  if (token) headers.authorization = `Bearer ${token}`
  if (key) headers['idempotency-key'] = key
  const answer = await fetch(`${lintel.base}/api/v1${path}`, {
    method: method ?? '',
    headers,
    body: JSON.stringify(body),
  })
  const text = await answer.text()
  if (answer.status >= 400) problems.push(text)
  return { status: answer.status, body: text && JSON.parse(text) }
}

const mailed = async (address: string, page: string): Promise<string> =>
  secret(await awaitLink({ config: lintel }, address, page))

async function login(email: string, password: string) {
  const { body } = await send('POST /auth/login', { email, password })
  secret(body.refreshToken)
  return secret(body.accessToken)
}

/** The whole of every table of every schema that is ours or the queue's. */
async function everythingStored(): Promise<[table: string, text: string][]> {
  const { rows } = await database.query(
    `select format('%I.%I', table_schema, table_name) as name from information_schema.tables
      where table_schema in ('public', 'jobs') and table_type = 'BASE TABLE'`,
  )
  const found: [string, string][] = []
  for (const { name } of rows) {
    const stored = await database.query(`select string_agg(t::text, '\n') as text from ${name} t`)
    found.push([name, stored.rows[0].text ?? ''])
  }
  return found
}

t.test('no password and no token is in a log, an event, a job, an answer, or any other row', async t => {
  const [email, next] = ['canary@example.com', 'canary-next@example.com']
  const [first, second, third] = ['CANARY first password', 'CANARY second password', 'CANARY third password'].map(
    secret,
  )
  const wrong = secret('CANARY wrong password')
  const password = first as string
  t.equal((await send('POST /auth/register', { email, password, name: 'Canary' })).status, 201)
  t.equal((await send('POST /auth/verify-email', { token: await mailed(email, 'verify-email') })).status, 204)
  t.equal((await send('POST /auth/login', { email, password: wrong })).status, 401)
  t.equal((await send('POST /auth/login', { email, password: wrong, remember: true })).status, 422)
  const token = await login(email, password)
  const key = secret('CANARY-idempotency-key')

  const wrongChange = { currentPassword: wrong, newPassword: second }
  t.equal((await send('POST /auth/password/change', wrongChange, { token })).status, 403)
  const change = { currentPassword: password, newPassword: second }
  t.equal((await send('POST /auth/password/change', change, { token, key })).status, 204)
  t.equal((await send('POST /auth/password/change', wrongChange, { token, key })).status, 422)

  t.equal((await send('POST /auth/password/forgot', { email })).status, 202)
  const recovery = await mailed(email, 'reset-password')
  t.equal((await send('POST /auth/password/reset', { token: secret('CANARY-made-up'), password: third })).status, 400)
  t.equal((await send('POST /auth/password/reset', { token: recovery, password: third })).status, 204)

  const again = await login(email, third as string)
  t.equal((await send('POST /auth/email/change', { email: next, password: third }, { token: again })).status, 202)
  t.equal((await send('POST /auth/email/confirm', { token: await mailed(email, 'confirm-email') })).status, 200)
  t.equal((await send('POST /auth/email/confirm', { token: await mailed(next, 'confirm-email') })).status, 200)

  // What fails inside the database is logged, and never with what was sent.
  await database.query(`alter table sessions add constraint never check (generation = 7) not valid`)
  t.equal((await send('POST /auth/login', { email: next, password: third })).status, 500)
  await database.query('alter table users rename column password_hash to elsewhere')
  t.equal((await send('POST /auth/register', { email: 'x@example.com', password: third, name: 'X' })).status, 500)

  await lintel.end('SIGTERM')
  const log = readFileSync(join(lintel.dataDirectory, 'log'), 'utf8')
  t.match(log, /"operation":"changePassword"/, 'the log is there')
  const places: [string, string][] = [['log', log], ...problems.map((text): [string, string] => ['problem', text])]
  for (const [place, text] of [...places, ...(await everythingStored())])
    for (const canary of canaries) if (text.includes(canary)) t.fail(`${canary} is in ${place}`)
  t.ok(canaries.size >= 14, `${canaries.size} secrets were looked for`)
})
