import pino from 'pino'
import t from 'tap'
import { createOrganization } from '../helpers/actors.ts'
import { testApp } from '../helpers/app.ts'
import { call } from '../helpers/call.ts'

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736'
const test = await testApp(t, { logLevel: 'info' })
const { app } = test
const lines: string[] = []
const { [pino.symbols.streamSym]: out } = app.log as unknown as Record<symbol, { write(line: string): void }>
Object.assign(out as object, { write: (line: string) => lines.push(line) })

t.test('each request is one line of the log, as the logger itself would write it', async t => {
  const { member } = await createOrganization(test)
  lines.length = 0
  const { headers } = await call(app, 'GET /users/me?secret=CANARY', {
    as: member,
    headers: { traceparent: `00-${TRACE}-00f067aa0ba902b7-01`, 'x-canary': 'CANARY' },
  })
  t.equal(lines.length, 1)
  const [line] = lines as [string]
  const { level, time, msg, ...fields } = JSON.parse(line)
  t.match(fields, {
    reqId: headers['request-id'],
    method: 'GET',
    operation: 'getMe',
    status: 200,
    ms: Number,
    actor: member.id,
    trace: new RegExp(`^00-${TRACE}-[0-9a-f]{16}-01$`),
  })
  app.log.info(fields, msg)
  t.equal(lines[1]?.replace(/"time":\d+/, ''), line.replace(/"time":\d+/, ''))
  t.ok(Math.abs(Date.now() - time) < 60_000)
  t.notMatch(line, /CANARY/)
  t.equal(level, 30)
})

t.test('the line of a request without a trace names none', async t => {
  const { member } = await createOrganization(test)
  lines.length = 0
  await call(app, 'GET /users/me', { as: member })
  t.notMatch(lines[0], /"trace"/)
})

t.test('above its level the log has no such line', async t => {
  app.log.level = 'warn'
  lines.length = 0
  await call(app, 'GET /health/live')
  t.same(lines, [])
})
