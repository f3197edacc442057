import { execFile, execFileSync } from 'node:child_process'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import t, { type Test } from 'tap'
import { loadDemo } from '../../src/demo.ts'
import { demoKey } from '../../src/lib/demo.ts'
import { listen, testApp } from '../helpers/app.ts'
import { freePort } from '../helpers/ports.ts'
import { startServices } from '../helpers/services.ts'
import { startStripe } from '../helpers/stripe.ts'
import { compileWithClient } from '../helpers/typed-client.ts'

/** The guides do what they say: their commands run in order, their programs compile and run. */
const run = promisify(execFile)
const FOLDER = fileURLToPath(new URL('../../docs/guides/', import.meta.url))
const SITE = 'http://localhost:3000'
/** Where a guide has a service that takes payments by Stripe. */
const STRIPE_SITE = 'http://localhost:3001'
const RECEIVER_PORT = '4000'
const EXAMPLES = fileURLToPath(new URL('../../examples/', import.meta.url))
/** Long, for a busy machine; a delivery that fails at first is repeated after five seconds. */
const PATIENCE_MS = 120_000
const SEPARATOR = '\u001e'
/** Of the access token that a program has just got: makes it refresh before every request. */
const [MARGIN, WHOLE_LIFE] = ['MARGIN_MS = 30_000', 'MARGIN_MS = 1_000_000']

// The receiver of the guide runs on this machine.
const services = await startServices(t)
// Where URLs in answers lead.
const publicUrl = `http://127.0.0.1:${await freePort()}`
const test = await testApp(t, { works: true, publicUrl, ...services, outboundAllow: ['localhost', '127.0.0.1', '::1'] })
await loadDemo(test.app)
const base = await listen(test.app, Number(new URL(publicUrl).port))
const { stripe } = await startStripe(t)
const withStripe = await testApp(t, { works: true, stripe })
await loadDemo(withStripe.app)
const stripeBase = await listen(withStripe.app)
const port = String(await freePort())

interface Block {
  language: string
  text: string
}
const blocksOf = (guide: string): Block[] =>
  Array.from(guide.matchAll(/^```(\w*)\n(.*?)^```$/gms), ([, language = '', text = '']) => ({ language, text }))

const installed = (program: string): boolean => {
  try {
    return execFileSync(program, ['--version']).length > 0
  } catch {
    return false
  }
}
const skip = installed('bash') && installed('curl') ? false : 'bash and curl are not installed'

/** The names of all properties, however deep; a list counts by its first item. */
function shapeOf(value: unknown): unknown {
  if (Array.isArray(value)) return value.slice(0, 1).map(shapeOf)
  if (typeof value !== 'object' || value === null) return null
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, shapeOf(inner)]))
}

for (const name of readdirSync(FOLDER)) {
  const guide = readFileSync(join(FOLDER, name), 'utf8')
  const blocks = blocksOf(guide)

  t.test(`${name}: each command prints what the guide says`, { skip }, async t => {
    const commands = blocks.filter(({ language }) => language === 'sh').map(({ text }) => text)
    const sites = (text: string) => text.replaceAll(SITE, base).replaceAll(STRIPE_SITE, stripeBase)
    const script = sites(commands.join(`printf '${SEPARATOR}'\n`)).replaceAll(RECEIVER_PORT, port)
    const cwd = t.testdir({ examples: t.fixture('symlink', EXAMPLES) })
    const { stdout } = await run('bash', ['-euc', script], { cwd, timeout: PATIENCE_MS })
    const printed = stdout.split(SEPARATOR)
    for (const [at, { language, text }] of blocks.entries()) {
      if (language !== 'sh') continue
      const output = printed.shift() ?? ''
      const said = blocks[at + 1]
      const isRight =
        said?.language === 'json'
          ? t.same(shapeOf(JSON.parse(output)), shapeOf(JSON.parse(said.text)), text)
          : t.equal(output.trim(), said?.language === '' ? said.text.trim() : '', text)
      // A shape alone does not say why.
      if (!isRight) t.comment(output)
    }
  })

  const programs = blocks.filter(({ language }) => language === 'ts').map(({ text }) => text.replaceAll(SITE, base))
  if (programs.length === 0) continue
  t.test(`${name}: each program compiles with the generated client, runs and succeeds`, async t => {
    const folder = t.testdir({ 'package.json': '{ "type": "module" }' })
    const files = programs.map((_, at) => `program-${at}.ts`)
    for (const [at, text] of programs.entries())
      writeFileSync(join(folder, files[at] as string), text.replace(MARGIN, WHOLE_LIFE))
    t.equal(await compileWithClient(folder, base, files), '')
    for (const file of files) await succeeds(t, join(folder, file))
  })
}

async function succeeds(t: Test, program: string): Promise<void> {
  const env = { ...process.env, LINTEL_API_KEY: demoKey }
  const { stdout, stderr } = await run(process.execPath, [program], { env })
  t.equal(stderr, '', program)
  t.notMatch(stdout, /\b[45]\d\d\b/)
  t.match(stdout, /Website|200/)
}
