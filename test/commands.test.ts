import { execFile } from 'node:child_process'
import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { createDatabase } from './helpers/database.ts'

const ROOT = fileURLToPath(new URL('..', import.meta.url))
/** tap gives every child its loader, which a command does not have. */
const { NODE_OPTIONS: _, ...environment } = process.env

interface Options {
  args?: string[]
  cwd?: string
  env?: Record<string, string>
}

/** Runs a program of `bin`; what it says and how it ends. */
const run = (program: string, { args = [], cwd = ROOT, env = {} }: Options = {}) =>
  new Promise<{ code: unknown; out: string; err: string }>(resolve =>
    execFile(
      process.execPath,
      [join(ROOT, 'bin', program), ...args],
      { cwd, env: { ...environment, ...env } },
      (error, out, err) => resolve({ code: error?.code ?? 0, out, err }),
    ),
  )

t.test('client says in a sentence that it wants the file of a document', async t => {
  const without = await run('client.ts')
  t.match(without, { code: 1, out: '', err: /^Name the file of an OpenAPI document.*\n$/ })
  const missing = await run('client.ts', { args: ['nowhere.json'] })
  t.match(missing, { code: 1, out: '', err: /^nowhere.json is not a file of JSON: .*\n$/ })
})

t.test('admin makes no database where it finds none', async t => {
  const cwd = t.testdir()
  const { code, out, err } = await run('admin.ts', { cwd })
  t.match({ code, out }, { code: 1, out: '' })
  t.match(err, 'DATABASE_URL is not set')
  t.match(err, join(cwd, '.data'))
  t.notOk(existsSync(join(cwd, '.data')), 'the folder is as it was')
})

t.test('admin names the database it speaks to, and never its password', async t => {
  const { url, drop } = await createDatabase()
  t.teardown(drop)
  const named = new URL(url)
  named.password = 'hunter2'
  const cwd = t.testdir()
  writeFileSync(join(cwd, '.env'), `DATABASE_URL=${named.href}\n`)
  const { code, out, err } = await run('admin.ts', { cwd })
  t.match({ code, err }, { code: 0, err: '' })
  t.match(out, `Database: ${named.pathname.slice(1)} at ${named.hostname}:${named.port}\n`)
  t.match(out, /\/first-admin\?token=[\w-]+\n$/)
  t.notMatch(out, 'hunter2')
})

t.test('admin says in a sentence that the database is out of reach', async t => {
  const { code, out, err } = await run('admin.ts', {
    env: { DATABASE_URL: 'postgres://lintel:hunter2@127.0.0.1:1/none' },
  })
  t.match({ code, out }, { code: 1, out: 'Database: none at 127.0.0.1:1\n' })
  t.match(err, /^It cannot be opened: .*\n$/)
  t.notMatch(err, 'hunter2')
})
