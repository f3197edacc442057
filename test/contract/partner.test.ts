import { execFile } from 'node:child_process'
import { copyFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import t from 'tap'
import { createUser } from '../helpers/actors.ts'
import { listen, testApp } from '../helpers/app.ts'
import { compileWithClient } from '../helpers/typed-client.ts'

const run = promisify(execFile)
const ROOT = fileURLToPath(new URL('../..', import.meta.url))

t.test('a partner generates a client from the document, compiles a program with it and gets the work done', async t => {
  const test = await testApp(t)
  const base = await listen(test.app)
  const folder = t.testdir({ 'package.json': '{ "type": "module" }' })
  const program = join(folder, 'partner.ts')
  copyFileSync(join(ROOT, 'test/contract/partner.ts.txt'), program)

  t.equal(await compileWithClient(folder, base, ['partner.ts']), '', 'it compiles')

  const { token } = await createUser(test)
  const { stdout } = await run(process.execPath, [program, base, token])
  t.same(JSON.parse(stdout), { priorities: [4, 3, 2, 1, 0], title: 'Changed', stale: 'precondition_failed' })
})

/** What redirects answers 302; that every operation has a success is held by the architecture test. */
const NEEDS_2XX = 'operation-2xx-response'

t.test('the document lints clean', async t => {
  const { app } = await testApp(t, { publicUrl: 'https://api.lintel.dev' })
  const folder = t.testdir({ 'openapi.json': JSON.stringify(app.openapi()) })
  const redocly = join(ROOT, 'node_modules/.bin/redocly')
  const env = { ...process.env, REDOCLY_TELEMETRY: 'off', REDOCLY_SUPPRESS_UPDATE_NOTICE: 'true' }
  const lint = run(redocly, ['lint', '--format', 'json', '--skip-rule', NEEDS_2XX, join(folder, 'openapi.json')], {
    env,
    maxBuffer: 2 ** 26,
  })
  const { stdout } = await lint.catch(error => error)
  t.match(JSON.parse(stdout.slice(stdout.indexOf('{'))).totals, { errors: 0, warnings: 0 })
})
