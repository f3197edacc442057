import { execFile } from 'node:child_process'
import { copyFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { type RulesetDefinition, Spectral } from '@stoplight/spectral-core'
import { oas } from '@stoplight/spectral-rulesets'
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

/** Redirects respond with 302; the architecture test checks that every operation has a success. */
const NEEDS_2XX = 'operation-2xx-response'

const { app } = await testApp(t, { publicUrl: 'https://api.lintel.dev' })
const document = JSON.stringify(app.openapi())

t.test('the document keeps the rules of Spectral for OpenAPI', async t => {
  const spectral = new Spectral()
  // As for Redocly: the success of an upgrade is 101.
  spectral.setRuleset({ extends: [oas as RulesetDefinition], rules: { 'operation-success-response': 'off' } })
  const found = await spectral.run(JSON.parse(document))
  t.same(
    found.map(({ code, path, message }) => `${code} at ${path.join('.')}: ${message}`),
    [],
  )
})

t.test('the document keeps the rules of Redocly', async t => {
  const folder = t.testdir({ 'openapi.json': document })
  const redocly = join(ROOT, 'node_modules/.bin/redocly')
  const env = { ...process.env, REDOCLY_TELEMETRY: 'off', REDOCLY_SUPPRESS_UPDATE_NOTICE: 'true' }
  const lint = run(redocly, ['lint', '--format', 'json', '--skip-rule', NEEDS_2XX, join(folder, 'openapi.json')], {
    env,
    maxBuffer: 2 ** 26,
  })
  const { stdout } = await lint.catch(error => error)
  t.match(JSON.parse(stdout.slice(stdout.indexOf('{'))).totals, { errors: 0, warnings: 0 })
})
