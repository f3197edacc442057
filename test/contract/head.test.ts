// Runs in a process of its own: it hears of every application that the process builds.
import { subscribe } from 'node:diagnostics_channel'
import type { FastifyInstance, RouteOptions } from 'fastify'
import t, { type Test } from 'tap'
import { testApp } from '../helpers/app.ts'
import { call } from '../helpers/call.ts'
import { startServices } from '../helpers/services.ts'
import { Client } from './client.ts'
import { type Operation, Specification, streams } from './specification.ts'
import { World } from './world.ts'

/** Checks for every route that HEAD responds like GET, without the body (RFC 9110 §9.3.2). */
const routes: RouteOptions[] = []
subscribe('fastify.initialization', message => {
  const { fastify } = message as { fastify: FastifyInstance }
  fastify.addHook('onRoute', route => void routes.push(route))
})
const services = await startServices(t)
const test = await testApp(t, { ...services, corsOrigins: ['https://app.example.com'] })
const specification = new Specification(test.app)
const client = new Client(test, specification)

/** Enough rows for a list of some kilobytes, which is compressed. */
const ROWS = 12
/** Headers that differ each time or concern only the transport. */
const VARIES = ['date', 'request-id', 'transfer-encoding', 'connection', 'keep-alive', 'set-cookie', 'location']
const compressed = new Set<string>()

let world = await World.create(test, client, specification)
const reads = specification.chosen(t, ({ method }) => method === 'GET')
const callerOf = ({ access }: Operation) =>
  access.kind === 'platform' ? world.platformAdmin : world.organization.owner

async function fill(operation: Operation): Promise<void> {
  const creator = specification.creatorOf(operation.path.split('/').at(-1) as string)
  if (!creator) return
  for (let row = 0; row < ROWS; row++) {
    const params = await world.paramsOf(creator, callerOf(creator))
    const body = await world.bodyOf(creator, params, callerOf(creator))
    await client.send(creator, { as: callerOf(creator), params, body })
  }
}

const REQUESTS: Record<string, string>[] = [
  {},
  { 'accept-encoding': 'gzip' },
  { 'accept-encoding': 'br, gzip;q=0.5' },
  { 'if-none-match': '*' },
  { origin: 'https://app.example.com' },
  { authorization: 'Bearer nonsense' },
]

async function compare(t: Test, url: string, given: Record<string, string>): Promise<void> {
  for (const headers of REQUESTS) {
    const send = (method: 'GET' | 'HEAD') => test.app.inject({ method, url, headers: { ...given, ...headers } })
    const get = await send('GET')
    const head = await send('HEAD')
    const why = JSON.stringify(headers)
    t.equal(head.statusCode, get.statusCode, `${why} status`)
    t.equal(head.rawPayload.length, 0, `${why} no body`)
    const { 'content-length': ofGet, ...inGet } = get.headers
    const { 'content-length': ofHead, ...inHead } = head.headers
    for (const name of VARIES) {
      delete inGet[name]
      delete inHead[name]
    }
    t.same(inHead, inGet, `${why} headers`)
    if (get.headers['content-encoding']) compressed.add(url)
    if (get.statusCode === 304) t.same([ofGet, ofHead], [undefined, undefined], `${why} no length`)
    // The length may be left out; that of a problem varies with its request id.
    else if (ofHead !== undefined && get.statusCode < 400 && url !== '/metrics')
      t.equal(Number(ofHead), get.rawPayload.length, `${why} length`)
  }
}

for (const operation of reads) {
  t.test(`${operation.id}: HEAD is GET without the body`, async t => {
    if (world.isSpent) world = await World.create(test, client, specification)
    const as = callerOf(operation)
    const params = await world.paramsOf(operation, as)
    await fill(operation)
    const path = operation.path.replace(/\{(\w+)\}/g, (_, name: string) => params[name] as string)
    const scoped = operation.parameters.some(({ name }) => name === 'organizationId')
    const url = `/api/v1${path}${scoped ? `?organizationId=${world.organization.id}` : ''}`
    if (streams(operation)) {
      // GET would open a stream that nobody reads.
      const { status, headers } = await call(test.app, `HEAD ${url}`, { as })
      t.same([status, headers.allow], [405, 'GET'])
      return
    }
    await compare(t, url, as.headers)
  })
}

const elsewhere = routes.filter(({ method, url }) => method === 'GET' && !url.startsWith('/api/') && !/[:*]/.test(url))
for (const { url } of elsewhere) {
  t.test(`${url}: HEAD is GET without the body`, async t => {
    await compare(t, url, {})
  })
}

t.test('lists and documents were compressed on the way', async t => {
  t.ok(compressed.has('/openapi.json'))
  t.ok(specification.isLimited || compressed.size > 5, [...compressed].join(' '))
})

t.test('what is not there is no less so for HEAD', async t => {
  for (const url of ['/nothing', '/api/v1/nothing', '/%zz', '/docs/errors/nothing', '/docs/errors/not_found'])
    await compare(t, url, {})
})
