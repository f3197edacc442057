import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { DatabaseStartError, migrate } from '../../src/database/migrate.ts'
import { appOn } from '../helpers/app.ts'
import { eventually } from '../helpers/mail.ts'
import { freePort } from '../helpers/ports.ts'
import { connect, emptyDatabase } from './postgres.ts'

const skip = spawnSync('pgbouncer', ['--version']).status !== 0 && 'no pgbouncer'
/** What `docs/operations.md` says. */
const IGNORED = 'options,statement_timeout,lock_timeout,idle_in_transaction_session_timeout'
const SETTINGS = {
  TimeZone: 'UTC',
  plan_cache_mode: 'force_generic_plan',
  statement_timeout: '3s',
  lock_timeout: '2s',
  idle_in_transaction_session_timeout: '10s',
}

type Mode = 'session' | 'transaction' | 'statement'

/** Starts PgBouncer before a new database; returns the URL of the database through it. */
async function pooler(t: Test, mode: Mode, ignored: string = IGNORED, settings: object = SETTINGS): Promise<string> {
  const direct = new URL(await emptyDatabase(t))
  const client = await connect(direct.href)
  for (const [name, value] of Object.entries(settings))
    await client.query(`alter database "${direct.pathname.slice(1)}" set ${name} = '${value}'`)
  await client.end()
  const folder = mkdtempSync(join(tmpdir(), 'lintel-pooler-'))
  chmodSync(folder, 0o755)
  const port = await freePort()
  const password = direct.password === '' ? '' : ` password=${direct.password}`
  writeFileSync(
    join(folder, 'pgbouncer.ini'),
    `[databases]
* = host=${direct.hostname} port=${direct.port} user=${direct.username}${password}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${port}
unix_socket_dir =
auth_type = any
pool_mode = ${mode}
ignore_startup_parameters = ${ignored}
`,
  )
  const identity = process.getuid?.() === 0 ? ['-u', 'nobody'] : []
  const child = spawn('pgbouncer', [...identity, join(folder, 'pgbouncer.ini')], { stdio: 'ignore' })
  t.teardown(async () => {
    child.kill('SIGKILL')
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
    rmSync(folder, { recursive: true, force: true })
  })
  const through = new URL(direct)
  through.port = String(port)
  await eventually(async () => {
    const client = await connect(through.href).catch(() => undefined)
    await client?.end()
    return client !== undefined
  }, 'the pooler listens')
  return through.href
}

t.test('a pooler that keeps no session is refused at the start in one sentence', { skip }, async t => {
  for (const [mode, ignored, sentence] of [
    ['transaction', 'extra_float_digits', /keeps no sessions \(unsupported startup parameter: \w+\)/],
    ['session', IGNORED.replace('statement', 'other'), /keeps no sessions/],
    ['transaction', IGNORED, /changes the server between transactions/],
    ['statement', IGNORED, /keeps no sessions \(transaction blocks not allowed/],
  ] as const) {
    const url = await pooler(t, mode, ignored)
    const refused = await migrate(url).catch((error: Error) => error)
    t.ok(refused instanceof DatabaseStartError, `${mode}: ${refused}`)
    t.match((refused as Error).message, sentence, mode)
    t.match((refused as Error).message, /^DATABASE_URL leads to a pooler that [^\n]+: set it to PostgreSQL itself.*\.$/)
  }
})

t.test('a pool by session, whose database has the settings, works', { skip }, async t => {
  const url = await pooler(t, 'session')
  await migrate(url)
  const { app } = await appOn(t, url)
  t.equal((await app.inject('/health/ready')).statusCode, 200)
  const body = { email: 'ada@example.com', name: 'Ada', password: 'correct horse battery' }
  t.equal((await app.inject({ method: 'POST', url: '/api/v1/auth/register', body })).statusCode, 201)
})

t.test('a pool by session whose database lacks the settings is refused', { skip }, async t => {
  const { plan_cache_mode, ...others } = SETTINGS
  const url = await pooler(t, 'session', IGNORED, others)
  await t.rejects(migrate(url), { message: /does not pass on the settings of a session/ })
})
