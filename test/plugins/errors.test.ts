import type { FastifyRequest } from 'fastify'
import t from 'tap'
import { requestErrors } from '../../src/lib/errors.ts'
import { logFault } from '../../src/plugins/errors.ts'
import { createOrganization } from '../helpers/actors.ts'
import { listen, testApp } from '../helpers/app.ts'
import { call } from '../helpers/call.ts'
import { createProject, createTask } from '../helpers/factories.ts'
import { exchange, statusOf } from '../helpers/socket.ts'

const test = await testApp(t)
const { app, sql } = test
const base = await listen(app)
const organization = await createOrganization(test)
const as = organization.member
const PROBLEM = /^application\/problem\+json\b/

/** Parses the problem in a raw response. */
const problemOf = (answer: string) => JSON.parse(answer.slice(answer.indexOf('\r\n\r\n') + 4))

t.test('an unknown path is 404, a wrong method 405 with the methods it knows', async t => {
  const unknown = await call(app, 'GET /nothing/here')
  t.match(unknown.body, { status: 404, code: 'not_found' })
  t.match(unknown.headers['content-type'], PROBLEM)
  for (const [request, allow] of [
    ['PUT /organizations', ['GET', 'HEAD', 'POST']],
    ['DELETE /organizations', ['GET', 'HEAD', 'POST']],
    ['PATCH /auth/login', ['POST']],
    [`GET /tasks/${organization.id}/complete`, ['POST']],
  ] as const) {
    const { body, headers } = await call(app, request)
    t.match(body, { status: 405, code: 'method_not_allowed' }, request)
    t.same(headers.allow?.split(', ').toSorted(), allow, request)
  }
})

t.test('a problem has one shape, off the routes too', async t => {
  for (const request of ['GET /nothing', 'PUT /organizations', 'GET /users/me', 'GET /tasks/x', 'GET /%zz']) {
    const { body, status, headers } = await call(app, request)
    t.match(headers['content-type'], PROBLEM, request)
    t.match(body, { status, code: /^[a-z_]+$/, title: /./, requestId: headers['request-id'] })
    t.equal(body.type, `${test.config.publicUrl}/docs/errors#${body.code}`)
    t.same(
      Object.keys(body).filter(
        key => !['type', 'title', 'status', 'code', 'detail', 'requestId', 'errors'].includes(key),
      ),
      [],
    )
  }
})

t.test('a validation names the field by JSON pointer', async t => {
  const projectId = await createProject(test, { organizationId: organization.id })
  const { body } = await call(app, `POST /projects/${projectId}/tasks/bulk`, {
    as,
    body: { tasks: [{ title: 'x' }, { title: 'x', unknown: 1 }] },
  })
  t.same(body.errors, [{ pointer: '#/tasks/1/unknown', detail: 'is not a known property' }])
  const missing = await call(app, 'POST /auth/login', { body: { email: 'a@example.com' } })
  t.equal(missing.body.errors[0].pointer, '#/password')
  const query = await call(app, `GET /projects/${projectId}/tasks?limit=x`, { as })
  t.same(query.body.errors, [{ parameter: 'limit', detail: 'must be integer' }])
  t.equal(query.body.detail, 'limit must be integer')
  const odd = await call(app, 'POST /auth/login', { body: { email: 'a@example.com', password: 'x', 'a/b~c #é%"': 1 } })
  t.equal(odd.body.errors[0].pointer, '#/a~1b~0c%20%23%C3%A9%25%22', 'as a URI fragment (RFC 6901 §6)')
  const lone = await call(app, 'POST /auth/login', { body: '{"email":"a@example.com","password":"x","\\ud800":1}' })
  t.equal(lone.status, 422)
})

t.test('headers too large are 431 and what is no HTTP is 400, both as problems, and the connection ends', async t => {
  const host = 'Host: x\r\n'
  const large = await exchange(base, `GET /api/v1/users/me HTTP/1.1\r\n${host}X: ${'a'.repeat(20_000)}\r\n\r\n`)
  t.equal(statusOf(large), 431)
  t.match(problemOf(large), { status: 431, code: 'headers_too_large' })
  for (const bytes of [
    'nonsense\r\n\r\n',
    `GET /a b HTTP/1.1\r\n${host}\r\n`,
    `GET / HTTP/1.1\r\n${host}X\x00: 1\r\n\r\n`,
  ]) {
    const answer = await exchange(base, bytes)
    t.equal(statusOf(answer), 400)
    t.match(problemOf(answer), { status: 400, code: 'malformed_request', requestId: /./ })
    t.match(answer, /connection: close/i)
  }
})

t.test('a fault of the server says nothing of its cause', async t => {
  const id = await createTask(test, { projectId: await createProject(test, { organizationId: organization.id }) })
  await sql('alter table tasks rename to hidden_tasks')
  for (const [request, body] of [
    [`GET /tasks/${id}`],
    [`PATCH /tasks/${id}`, { title: 'CANARY' }],
    [`GET /organizations/${organization.id}/tasks`],
  ] as const) {
    const { status, text, body: problem } = await call(app, request, { as, ...(body ? { body } : {}) })
    t.equal(status, 500)
    t.same(Object.keys(problem).toSorted(), ['code', 'requestId', 'status', 'title', 'type'])
    t.notMatch(text, /select|relation|tasks"|CANARY|node_modules|at /i)
  }
  await sql('alter table hidden_tasks rename to tasks')
  t.equal((await call(app, `GET /tasks/${id}`, { as })).status, 200)
})

t.test('a value that the database refuses is nobody’s to read', async t => {
  await sql(`alter table projects add constraint no_canary check (name <> 'CANARY')`)
  const { status, text } = await call(app, `POST /organizations/${organization.id}/projects`, {
    as,
    body: { name: 'CANARY' },
  })
  t.equal(status, 500)
  t.notMatch(text, /CANARY|constraint|projects/)
})

t.test('a server error is logged with its cause; a refusal for too much load alone is not', async t => {
  const logged: unknown[] = []
  const write = ({ err }: { err: unknown }) => void logged.push(err)
  const request = { log: { warn: write, error: write } } as unknown as FastifyRequest
  const cause = new Error('timeout exceeded when trying to connect')
  logFault(requestErrors.overloaded(), request)
  logFault(requestErrors.not_found(), request)
  t.same(logged, [])
  logFault(requestErrors.overloaded({ cause }), request)
  logFault(requestErrors.internal_error({ cause }), request)
  t.same(logged, [cause, cause])
})
