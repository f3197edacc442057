import t from 'tap'
import { buildApp } from '../../src/app.ts'
import { loadConfig } from '../../src/config.ts'
import { everyone } from '../../src/lib/access.ts'
import { listen } from '../helpers/app.ts'
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

  const base = await listen(app)
  const stuck = fetch(`${base}/stuck`)
  t.equal((await fetch(`${base}/health/live`)).status, 200)
  t.equal(await inFlight(), '1')
  const answer = await stuck
  t.same([answer.status, answer.headers.get('retry-after')], [503, '1'])
  t.match(await answer.json(), { status: 503, code: 'handler_timeout' })
  t.equal(await inFlight(), '0')
})
