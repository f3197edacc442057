import { execFile } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { createDatabase } from './helpers/database.ts'

const ROOT = fileURLToPath(new URL('..', import.meta.url))

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
      { cwd, env: { ...process.env, ...env } },
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
  // A server that trusts everybody takes any.
  named.password ||= 'hunter2'
  const cwd = t.testdir()
  writeFileSync(join(cwd, '.env'), `DATABASE_URL=${named.href}\n`)
  const { code, out, err } = await run('admin.ts', { cwd })
  t.match({ code, err }, { code: 0, err: '' })
  t.match(out, `Database: ${named.pathname.slice(1)} at ${named.hostname}:${named.port}\n`)
  t.match(out, /\/first-admin\?token=[\w-]+\n$/)
  t.notMatch(out, named.password)
})

t.test('admin says in a sentence that the database is out of reach', async t => {
  const { code, out, err } = await run('admin.ts', {
    env: { DATABASE_URL: 'postgres://lintel:hunter2@127.0.0.1:1/none' },
  })
  t.match({ code, out }, { code: 1, out: 'Database: none at 127.0.0.1:1\n' })
  t.match(err, /^The database of DATABASE_URL cannot be reached: .*\n$/)
  t.notMatch(err, 'hunter2')
})

t.test('a migration has a name, follows from the last snapshot alone, and leaves no older one', async t => {
  const tables = (columns: string) =>
    `import { pgTable, text } from 'drizzle-orm/pg-core'\nexport const notes = pgTable('notes', { ${columns} })\n`
  const cwd = t.testdir({
    'package.json': '{ "type": "module" }',
    'drizzle.config.ts': `export default { dialect: 'postgresql', schema: './tables.ts', out: './migrations' }`,
    'tables.ts': tables('title: text()'),
  })
  symlinkSync(join(ROOT, 'node_modules'), join(cwd, 'node_modules'))
  const generate = (...args: string[]) => run('generate.ts', { args, cwd })
  const migration = (name: string) => readFileSync(join(cwd, 'migrations', name), 'utf8')

  t.match(await generate(), { code: 1, out: '', err: /--name/ })
  t.equal((await generate('--name', 'notes')).code, 0)
  for (const [at, column] of ['body', 'author'].entries()) {
    writeFileSync(join(cwd, 'tables.ts'), tables(`title: text(), ${at ? 'body: text(), ' : ''}${column}: text()`))
    t.equal((await generate('--name', column)).code, 0)
    t.equal(migration(`000${at + 1}_${column}.sql`), `ALTER TABLE "notes" ADD COLUMN "${column}" text;`)
  }
  t.match((await generate('--name', 'nothing')).out, 'No schema changes')
  t.same(readdirSync(join(cwd, 'migrations')), ['0000_notes.sql', '0001_body.sql', '0002_author.sql', 'meta'])
  t.same(readdirSync(join(cwd, 'migrations', 'meta')), ['0002_snapshot.json', '_journal.json'])
})
