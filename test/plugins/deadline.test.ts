import t from 'tap'
import { buildApp } from '../../src/app.ts'
import { loadConfig } from '../../src/config.ts'
import { everyone } from '../../src/lib/access.ts'
import { createDatabase } from '../helpers/database.ts'

t.test('a handler that never answers is answered for, and no request is counted for ever', async t => {
  const { url, drop } = await createDatabase()
  const config = { ...loadConfig({ NODE_ENV: 'test', LOG_LEVEL: 'silent', ROLE: 'api' }), databaseUrl: url }
  const app = await buildApp(config)
  t.teardown(async () => {
    await app.close()
    await drop()
  })
  app.get('/stuck', { config: { access: everyone } }, () => new Promise(() => {}))
  const inFlight = async () => /^http_requests_in_flight (\d+)/m.exec(await app.metrics.metrics())?.[1]

  const stuck = app.inject('/stuck')
  t.equal((await app.inject('/health/live')).statusCode, 200)
  t.equal(await inFlight(), '1')
  const { statusCode, headers, payload } = await stuck
  t.match(JSON.parse(payload), { status: 503, code: 'handler_timeout' })
  t.match({ statusCode, headers }, { statusCode: 503, headers: { 'retry-after': '1' } })
  t.equal(await inFlight(), '0')
})
