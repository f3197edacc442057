import t from 'tap'
import { type Json, Specification } from '../contract/specification.ts'
import { createOrganization } from '../helpers/actors.ts'
import { testApp } from '../helpers/app.ts'
import { call } from '../helpers/call.ts'
import { stringsIn } from './naughty.ts'

const test = await testApp(t)
const specification = new Specification(test.app)
const { owner } = await createOrganization(test)

const BODY_CHARACTERS = 1_048_576
/** Below Node's limit of 16 KiB for the URL and all headers together. */
const HEADER_CHARACTERS = 15_000
const CHECK_BOUND_MS = 10
/** The bound for a whole request with its query. A pattern with quadratic time takes seconds. */
const REQUEST_BOUND_MS = 50
/** A check fails only if every attempt is slow, because a single one may include garbage collection or compilation. */
const ATTEMPTS = 5

const STARTS = [
  '',
  'a@',
  'a@a.',
  '0x',
  '2026-01-31T12:00:00.',
  'urn:uuid:',
  'URI: ',
  'ltl_live_',
  'a wants you to sign in ',
]
const PUMPS = [
  'a',
  '0',
  'a-',
  '-',
  'a.',
  '.',
  't',
  ' ',
  '"',
  'W/"',
  ',',
  ';q=',
  '=',
  'a=a;',
  ':',
  '/',
  'URI: ',
  '\n',
  'é',
  '\u0301\u0323',
  'e\u0301',
  '\u{1f600}',
]
const ENDS = ['', '!', '"']

/** Returns texts of `length` that match a pattern almost to their end. */
function* nearMisses(length: number): Generator<string> {
  for (const start of STARTS)
    for (const pump of PUMPS)
      for (const end of ENDS)
        yield start + pump.repeat(Math.floor((length - start.length - end.length) / pump.length)) + end
}

/** Returns the CPU time of this thread, which does not depend on other load of the machine. */
const threadMs = (): number => {
  const { user, system } = process.threadCpuUsage()
  return (user + system) / 1000
}

/** Returns the shortest time of up to `ATTEMPTS` attempts; stops at the first below `boundMs`. */
async function quickest(boundMs: number, work: () => unknown): Promise<number> {
  let best = Number.POSITIVE_INFINITY
  for (let attempt = 0; attempt < ATTEMPTS && best >= boundMs; attempt++) {
    const started = threadMs()
    await work()
    best = Math.min(best, threadMs() - started)
  }
  return best
}

const shown = (text: string) => `${JSON.stringify(text.slice(0, 30))}…${JSON.stringify(text.slice(-3))}`

const operations = specification.chosen(t)

/** Returns every distinct schema of a string in a request. */
function kinds(): [string, Json][] {
  const inBodies = operations.flatMap(({ body = {} }) => stringsIn(specification, body).map(({ schema }) => schema))
  const elsewhere = operations
    .flatMap(({ parameters }) => parameters.flatMap(({ schema }) => stringsIn(specification, schema)))
    .map(({ schema }) => ({ ...schema, maxLength: schema.maxLength ?? HEADER_CHARACTERS }))
  const bare = [...inBodies, ...elsewhere].map(({ type, format, pattern, minLength, maxLength }: Json) => ({
    type,
    format,
    pattern,
    minLength,
    maxLength,
  }))
  return [...new Map(bare.map(schema => [JSON.stringify(schema), JSON.parse(JSON.stringify(schema))]))]
}

/** Grouped by maximum length, so that a long text is generated once for all schemas that allow it. */
const byLength = Map.groupBy(kinds(), ([, { maxLength = BODY_CHARACTERS }]) => maxLength as number)

for (const [length, ofLength] of byLength) {
  t.test(`no text of ${length} characters takes long to check`, async t => {
    const compile = test.app.validatorCompiler as (route: Json) => (value: Json) => unknown
    const checks = ofLength.map(([name, schema]) => ({
      name,
      validate: compile({ schema, httpPart: 'body', method: 'POST', url: '/' }),
    }))
    const slow: string[] = []
    for (const text of nearMisses(length)) {
      for (const { name, validate } of checks) {
        const tookMs = await quickest(CHECK_BOUND_MS, () => validate(text))
        if (tookMs >= CHECK_BOUND_MS) slow.push(`${name} ${shown(text)}: ${tookMs} ms`)
      }
    }
    t.same(slow, [])
  })
}

const HEADERS = [
  'if-match',
  'if-none-match',
  'idempotency-key',
  'traceparent',
  'request-id',
  'accept-encoding',
  'accept',
  'origin',
  'cookie',
  'x-forwarded-for',
]
const ALONE = ['authorization', 'x-api-key', 'content-type']

for (const request of ['GET /users/me', 'PATCH /users/me', 'POST /organizations']) {
  t.test(`${request}: no header takes long to read`, async t => {
    const body = request.startsWith('GET') ? undefined : { name: 'Name' }
    const slow: string[] = []
    for (const text of [...nearMisses(HEADER_CHARACTERS)].filter(text => !text.includes('\n'))) {
      const trials = [Object.fromEntries(HEADERS.map(name => [name, text])), ...ALONE.map(name => ({ [name]: text }))]
      for (const headers of trials) {
        const tookMs = await quickest(REQUEST_BOUND_MS, () => call(test.app, request, { as: owner, body, headers }))
        if (tookMs >= REQUEST_BOUND_MS) slow.push(`${Object.keys(headers)} ${shown(text)}: ${tookMs} ms`)
      }
    }
    t.same(slow, [])
  })
}

t.test('no message for a wallet to sign takes long to read', async t => {
  const signature = `0x${'a'.repeat(130)}`
  const slow: string[] = []
  for (const message of nearMisses(4096)) {
    const send = () => call(test.app, 'POST /auth/wallet/verify', { body: { message, signature } })
    const tookMs = await quickest(REQUEST_BOUND_MS, send)
    if (tookMs >= REQUEST_BOUND_MS) slow.push(`${shown(message)}: ${tookMs} ms`)
  }
  t.same(slow, [])
})
