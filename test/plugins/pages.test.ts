import t from 'tap'
import { listen, testApp } from '../helpers/app.ts'
import { call } from '../helpers/call.ts'
import { openPage } from '../helpers/forms.ts'

const { app } = await testApp(t)
const base = await listen(app)
const FORM = 'application/x-www-form-urlencoded'
const PATHS = ['first-admin', 'verify-email', 'reset-password', 'confirm-email', 'invitation', 'invitation/sign-in']

const post = (path: string, body: NonNullable<RequestInit['body']>, type = FORM) =>
  openPage(`${base}/${path}`, { method: 'POST', body, headers: { 'content-type': type } })

t.test('a page allows nothing but its style, an icon and forms to itself, and is kept nowhere', async t => {
  for (const path of [...PATHS, 'signed-in'])
    for (const query of ['?token=abc-DEF_123', '?token=<script>&code=<script>', '']) {
      const { headers, html } = await openPage(`${base}/${path}${query}`)
      const policy = String(headers.get('content-security-policy'))
      t.match(policy, /^default-src 'none'; style-src 'sha256-[\w+/]{43}='; img-src 'self'; form-action 'self'; /)
      t.match(policy, /frame-ancestors 'none'/)
      t.equal(headers.get('cache-control'), 'no-store')
      t.equal(headers.get('referrer-policy'), 'no-referrer', 'no token in a Referer')
      t.equal(headers.get('x-content-type-options'), 'nosniff')
      t.equal(headers.get('set-cookie'), null)
      t.match(headers.get('content-type'), /^text\/html/)
      t.notMatch(html, '<script')
    }
})

t.test('a page takes a form and nothing else', async t => {
  for (const path of PATHS) {
    const json = await post(path, JSON.stringify({ token: 'abc' }), 'application/json')
    t.match(json, { status: 415, text: /Unsupported media type/ }, path)
    t.equal((await post(path, 'token=abc&admin=true')).status, 422, 'unknown fields are refused')
    t.equal((await post(path, '')).status, 422)
    t.equal((await post(path, `token=${'a'.repeat(20_000)}`)).status, 413)
    for (const body of ['token=%ff', 'token=%E0%A4%A', Buffer.from('token=\xff', 'latin1')])
      t.equal((await post(path, body)).status, 400, 'not UTF-8')
    t.equal((await post(path, '__proto__=x&constructor=y&token=abc')).status, 422)
  }
})

t.test('the API takes no form: other sites could send one', async t => {
  const operations = Object.entries(app.openapi().paths).flatMap(([path, methods]) =>
    Object.entries(methods).flatMap(([method, operation]) =>
      operation.requestBody && operation['x-access'].kind === 'public' ? [`${method.toUpperCase()} ${path}`] : [],
    ),
  )
  t.ok(operations.length > 5)
  for (const operation of operations) {
    const answer = await call(app, operation, { body: 'token=abc', headers: { 'content-type': FORM } })
    t.match(answer, { status: 415, body: { code: 'unsupported_media_type' } }, operation)
  }
})

t.test('pages are no operations of the document, and stand in the metrics by name', async t => {
  const paths = Object.keys(app.openapi().paths)
  for (const path of PATHS) t.notOk(paths.includes(`/${path}`), path)
  t.match((await call(app, 'GET /metrics')).text, 'operation="page:first-admin"')
})

t.test('whoever tries too often is told to wait', async t => {
  const limited = await testApp(t)
  const from = '203.0.113.7'
  const attempt = () =>
    limited.app.inject({
      method: 'POST',
      url: '/reset-password',
      remoteAddress: from,
      headers: { 'content-type': FORM },
      payload: 'token=abc&password=correct+horse+battery',
    })
  const statuses: number[] = []
  for (let n = 0; n < 61; n++) statuses.push((await attempt()).statusCode)
  t.same([statuses[0], statuses[59], statuses[60]], [400, 400, 429])
  const { headers, body } = await attempt()
  t.match(headers, { 'retry-after': /^\d+$/, 'cache-control': 'no-store', 'content-type': /^text\/html/ })
  t.match(body, 'Too many requests. Wait a minute')
})
