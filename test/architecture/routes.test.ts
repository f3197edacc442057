// Runs in a process of its own: it hears of every application that the process builds.
import { subscribe } from 'node:diagnostics_channel'
import type { FastifyInstance, RouteOptions } from 'fastify'
import t from 'tap'
import { testApp } from '../helpers/app.ts'

t.test('every route says who may call it and what it answers', async t => {
  const routes: RouteOptions[] = []
  subscribe('fastify.initialization', message => {
    const { fastify } = message as { fastify: FastifyInstance }
    fastify.addHook('onRoute', route => void routes.push(route))
  })
  const { app } = await testApp(t)
  const api = routes.filter(({ url, method }) => url.startsWith('/api/') && method !== 'HEAD' && method !== 'OPTIONS')
  t.ok(api.length > 0, 'there are routes')
  for (const { method, url, config, schema } of api) {
    const name = `${method} ${url}`
    t.ok(config?.access, `${name} has an access rule`)
    // Who refreshes or has a ticket has signed in before, and an office does it all day.
    if (config?.access?.kind === 'public' && !['/api/v1/auth/refresh', '/api/v1/realtime'].includes(url))
      t.ok(config.sensitive, `${name} is for strangers, who get few tries`)
    t.ok(schema?.operationId, `${name} has an operationId`)
    t.ok(schema?.summary && schema.tags?.length, `${name} has a summary and a tag`)
    const answers = Object.entries((schema?.response ?? {}) as Record<string, object>)
    t.ok(
      answers.some(([status]) => /^([23]|101)/.test(status)),
      `${name} has a success`,
    )
    for (const [status, answer] of answers) t.ok(Object.keys(answer).length > 0, `${name} ${status} has a schema`)
  }
  const operations = Object.values(app.openapi().paths).flatMap(path => Object.values(path))
  const ids = operations.map(({ operationId }) => operationId)
  t.equal(new Set(ids).size, ids.length, 'every operationId is unique')
  for (const operation of operations) {
    for (const [status, response] of Object.entries(operation.responses)) {
      const bare = ['101', '202', '204', '302', '304'].includes(status)
      t.ok(bare || response.content, `${operation.operationId} ${status} is described by a schema`)
    }
    t.ok(operation['x-access'], `${operation.operationId} has its access rule in the document`)
  }
})
