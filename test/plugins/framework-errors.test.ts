import t from 'tap'
import { listen, testApp } from '../helpers/app.ts'
import { exchange, statusOf } from '../helpers/socket.ts'

const ORIGIN = 'https://app.example.com'
const LARGE = 'a'.repeat(20_000)
const test = await testApp(t, { corsOrigins: [ORIGIN], production: true })
const base = await listen(test.app)

/** Parses the headers of a raw response. */
function headersOf(answer: string): Record<string, string> {
  const [, ...lines] = answer.slice(0, answer.indexOf('\r\n\r\n')).split('\r\n')
  return Object.fromEntries(
    lines.map(line => [line.slice(0, line.indexOf(':')).toLowerCase(), line.replace(/^.*?: /, '')]),
  )
}
const ask = (target: string, origin: string, more = '') =>
  exchange(base, `GET ${target} HTTP/1.1\r\nHost: x\r\nOrigin: ${origin}\r\n${more}Connection: close\r\n\r\n`)

/** Requests that are refused before any route or hook runs. */
const ANSWERED_BY_HAND: [number, string, (origin: string) => Promise<string>][] = [
  [400, 'a path that cannot be decoded', origin => ask('/%zz', origin)],
  [400, 'the same below the API', origin => ask('/api/v1/tasks/%ff', origin)],
  [400, 'and below a resource', origin => ask('/api/v1/tasks/%/complete', origin)],
  [414, 'a parameter that is too long', origin => ask(`/api/v1/tasks/${'a'.repeat(5_000)}`, origin)],
  [431, 'headers that are too large', origin => ask('/health/live', origin, `X: ${LARGE}\r\n`)],
  [400, 'a header that is none', origin => ask('/health/live', origin, 'no header\r\n')],
  [400, 'a method that is none', origin => ask('/health/live', origin, 'X\x00: 1\r\n')],
]
/** Headers that differ between requests. */
const ITS_OWN = ['content-length', 'date', 'request-id', 'transfer-encoding', 'keep-alive']

const expected = headersOf(await ask('/nothing', ORIGIN))
const unlisted = headersOf(await ask('/nothing', 'https://evil.example'))
const same = (headers: Record<string, string>) =>
  Object.fromEntries(Object.entries(headers).filter(([name]) => !ITS_OWN.includes(name)))

for (const [status, why, send] of ANSWERED_BY_HAND) {
  t.test(`${why} is ${status} with the headers of every other answer`, async t => {
    const answer = await send(ORIGIN)
    t.equal(statusOf(answer), status, answer.slice(0, 300))
    const headers = headersOf(answer)
    t.same(same(headers), same(expected))
    for (const name of ['date', 'request-id', 'content-length']) t.ok(headers[name], name)
    const body = answer.slice(answer.indexOf('\r\n\r\n') + 4)
    t.equal(Buffer.byteLength(body, 'latin1'), Number(headers['content-length']))
    t.match(JSON.parse(body), { status, code: /^[a-z_]+$/, requestId: headers['request-id'] })
    t.same(same(headersOf(await send('https://evil.example'))), same(unlisted), 'another origin gets no permission')
  })
}
