import t from 'tap'
import { listen, testApp } from '../helpers/app.ts'
import { exchange, statusOf } from '../helpers/socket.ts'

const { app } = await testApp(t)
const base = await listen(app)
const live = '/health/live'
const close = 'Connection: close\r\n'

const chunked = 'Transfer-Encoding: chunked\r\nContent-Type: application/json\r\n'
const login = 'POST /api/v1/auth/login'
const REFUSED: Record<string, string> = {
  'HTTP/1.0 with Transfer-Encoding': `${login} HTTP/1.0\r\nHost: x\r\n${chunked}\r\n2\r\n{}\r\n0\r\n\r\n`,
  'two hosts': `GET ${live} HTTP/1.1\r\nHost: a\r\nHost: b\r\n${close}\r\n`,
  'the same host twice': `GET ${live} HTTP/1.1\r\nHost: a\r\nhOsT: a\r\n${close}\r\n`,
  'absolute form': `GET http://evil.example${live} HTTP/1.1\r\nHost: a\r\n${close}\r\n`,
  'no host': `GET ${live} HTTP/1.1\r\n${close}\r\n`,
  'no version': `GET ${live}\r\n\r\n`,
  asterisk: `OPTIONS * HTTP/1.1\r\nHost: a\r\n${close}\r\n`,
  'length and encoding': `${login} HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n${chunked}${close}\r\n2\r\n{}\r\n0\r\n\r\n`,
  'two lengths': `${login} HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nContent-Length: 3\r\n${close}\r\n{} `,
  'a signed length': `${login} HTTP/1.1\r\nHost: a\r\nContent-Length: +2\r\n${close}\r\n{}`,
  'a space before the colon': `GET ${live} HTTP/1.1\r\nHost : a\r\n${close}\r\n`,
  'a folded header': `GET ${live} HTTP/1.1\r\nHost: a\r\nX: 1\r\n 2\r\n${close}\r\n`,
  'an unknown encoding': `${login} HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: xchunked\r\n${close}\r\n2\r\n{}\r\n0\r\n\r\n`,
  'chunked not last': `${login} HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, identity\r\n${close}\r\n2\r\n{}\r\n0\r\n\r\n`,
  'a chunk size with a sign': `${login} HTTP/1.1\r\nHost: a\r\n${chunked}${close}\r\n+2\r\n{}\r\n0\r\n\r\n`,
  'a bare line feed in a header': `GET ${live} HTTP/1.1\r\nHost: a\r\nX: 1\nY: 2\r\n${close}\r\n`,
}

for (const [why, bytes] of Object.entries(REFUSED)) {
  t.test(`${why} is refused, and one request is never two`, async t => {
    const answer = await exchange(base, bytes)
    t.ok(answer === '' || statusOf(answer) === 400, answer.slice(0, 60))
    t.ok((answer.match(/HTTP\/1\.1 \d/g) ?? []).length <= 1)
    t.ok(answer === '' || (answer.includes('problem+json') && answer.includes('nosniff')))
  })
}

t.test('plain requests pass, pipelined ones in order', async t => {
  t.equal(statusOf(await exchange(base, `GET ${live} HTTP/1.1\r\nHost: a\r\n${close}\r\n`)), 200)
  t.equal(statusOf(await exchange(base, `GET ${live} HTTP/1.0\r\nHost: a\r\n\r\n`)), 200)
  const two = `GET ${live} HTTP/1.1\r\nHost: a\r\n\r\nGET /nothing HTTP/1.1\r\nHost: a\r\n${close}\r\n`
  const answer = await exchange(base, two)
  t.same(answer.match(/HTTP\/1\.1 (\d{3})/g), ['HTTP/1.1 200', 'HTTP/1.1 404'])
})
