import { randomUUID } from 'node:crypto'
import { Redis } from 'ioredis'
import type pg from 'pg'
import { buildApp } from '../src/app.ts'
import { loadConfig } from '../src/config.ts'
import { migrate } from '../src/database/migrate.ts'
import type { Actor } from '../src/lib/access.ts'
import { RedisServer, withoutRedis } from '../test/helpers/redis.ts'
import { type Lintel, startLintel } from './contestants.ts'
import { type BenchServer, withClient, withServer } from './database.ts'
import { backends, type Measured, measure, spent, startLoad } from './measure.ts'
import { numberOptions } from './options.ts'
import { drawTargets, seed, type Targets } from './seed.ts'
import { cpuMicros, stopServer } from './servers.ts'
import { median } from './statistics.ts'
import type { LoadRequest } from './works.ts'

// Measures reads of what is written rarely without and with a cache (`CACHE_TTL_MS`), and what the look-up of a
// membership costs in PostgreSQL and would cost in Redis.

const DATABASE = 'lintel_bench_cache'
const PRODUCTS = 100
const POSTS = 100
/** 2.7 KB of Markdown. */
const PARAGRAPHS = 25
const CACHE_TTL_MS = '60000'
const ROWS = `
  with made as (
    insert into products (id, name, tax_basis_points)
    select gen_random_uuid(), 'Product ' || n, 1900 from generate_series(1, ${PRODUCTS}) n returning id)
  insert into prices (id, product_id, currency, amount_cents)
    select gen_random_uuid(), id, currency, 2900 from made, unnest(array['EUR', 'USD']) currency;
  insert into posts (id, organization_id, title, content, slug, status, published_at)
    select gen_random_uuid(), o.id, 'News', repeat(E'## News\\n\\nThe **frame** is straight, and [the roof](https://example.com) is on it: *at last*.\\n\\n- one\\n- two\\n\\n', ${PARAGRAPHS}),
      'post-' || row_number() over (), 'published', now()
    from (select id from organizations order by id limit ${POSTS}) o;
  analyze`

const { tasks, rounds, seconds, connections } = numberOptions({
  tasks: 100_000,
  rounds: 5,
  seconds: 4,
  connections: 32,
})

/** The paths of each work, and the reader of each. */
type Works = Record<string, { path: string; userId: string }[]>

async function worksOf(client: pg.Client, { projects }: Targets): Promise<Works> {
  const { rows: products } = await client.query('select id from products')
  const { rows: posts } = await client.query(`
    select p.id, m.user_id as "userId" from posts p
    join lateral (select user_id from members where organization_id = p.organization_id limit 1) m on true`)
  const anyone = projects[0]?.userId as string
  return {
    'a product': products.map(({ id }) => ({ path: `/products/${id}`, userId: anyone })),
    'a page of 20 products': [{ path: '/products?status=active', userId: anyone }],
    'a post': posts.map(({ id, userId }) => ({ path: `/posts/${id}`, userId })),
    'a post as HTML': posts.map(({ id, userId }) => ({ path: `/posts/${id}?format=html`, userId })),
  }
}

async function compare(client: pg.Client, targets: Targets, servers: Record<'off' | 'on', Lintel>): Promise<void> {
  const works = await worksOf(client, targets)
  const readers = Object.values(works).flat()
  const asked = { ...targets, tasks: readers.map(({ userId }) => ({ id: '', userId })) } as Targets
  const load = startLoad()
  const table: object[] = []
  for (const [work, asks] of Object.entries(works)) {
    const found: Record<'off' | 'on', Measured[]> = { off: [], on: [] }
    for (let round = 0; round < rounds; round++)
      for (const cache of round % 2 ? (['on', 'off'] as const) : (['off', 'on'] as const)) {
        const lintel = servers[cache]
        const tokens = lintel.tokens(asked)
        const requests = asks.map(
          ({ path, userId }): LoadRequest => ({
            method: 'GET',
            path: `/api/v1${path}`,
            headers: { authorization: `Bearer ${tokens.get(userId)}` },
          }),
        )
        found[cache].push(await measure(load, lintel.server, { connections, seconds, requests }, client))
      }
    for (const cache of ['off', 'on'] as const) {
      const of = (key: keyof Measured) => median(found[cache].map(measured => measured[key]))
      table.push({
        work,
        cache,
        'requests/s': Math.round(of('requestsPerSecond')),
        'p99 ms': of('p99Ms'),
        'CPU µs': Math.round(of('cpuMicros')),
        'database µs': Math.round(of('databaseMicros')),
        failed: found[cache].reduce((sum, { failed }) => sum + failed, 0),
      })
    }
  }
  load.kill()
  console.table(table)
}

/** Runs `look` in as many loops as there are connections; returns the CPU time of this process for each. */
async function costOf(look: () => Promise<unknown>): Promise<{ looks: number; micros: number }> {
  let looks = 0
  const end = performance.now() + seconds * 1_000
  const before = process.cpuUsage()
  await Promise.all(
    Array.from({ length: connections }, async () => {
      while (performance.now() < end) {
        await look()
        looks++
      }
    }),
  )
  const { user, system } = process.cpuUsage(before)
  return { looks, micros: (user + system) / looks }
}

/** A look-up of a membership by the statement that callers share, against one GET for each. */
async function lookUps(url: string, client: pg.Client, { projects }: Targets): Promise<void> {
  if (withoutRedis) return console.log(`look-ups in Redis were not measured: ${withoutRedis}`)
  const app = await buildApp({ ...loadConfig({ LOG_LEVEL: 'silent', ROLE: 'api' }), databaseUrl: url })
  const server = await RedisServer.start({ teardown: () => {} })
  const redis = new Redis(server.url)
  try {
    await app.ready()
    let n = 0
    const next = () => projects[n++ % projects.length] as Targets['projects'][number]
    const key = ({ id, userId }: { id: string; userId: string }) => `membership:${id}:${userId}`
    for (const project of projects)
      await redis.set(key(project), JSON.stringify({ organizationId: randomUUID(), role: 'member' }))
    const actor = (userId: string) => ({ type: 'user', id: userId, sessionId: '', role: 'user' }) as Actor
    const postgres = () => {
      const { id, userId } = next()
      return app.tenancy.check('project', id, actor(userId), 'viewer')
    }
    const inRedis = async () => JSON.parse((await redis.get(key(next()))) as string)
    const redisProcess = async () => new Map([[0, cpuMicros(server.pid) ?? Number.NaN]])
    const table = []
    for (const [store, look, processes] of [
      ['PostgreSQL', postgres, () => backends(client)],
      ['Redis', inRedis, redisProcess],
    ] as const) {
      await costOf(look)
      const before = await processes()
      const { looks, micros } = await costOf(look)
      const there = spent(before, await processes())
      table.push({
        store,
        'looks/s': Math.round(looks / seconds),
        'CPU µs': micros.toFixed(1),
        'µs there': (there / looks).toFixed(1),
      })
    }
    console.table(table)
  } finally {
    redis.disconnect()
    await server.stop()
    await app.close()
  }
}

async function main(bench: BenchServer): Promise<void> {
  const url = await bench.create(DATABASE)
  try {
    await migrate(url)
    await withClient(url, async client => {
      await seed(client, tasks)
      await client.query(ROWS)
      const targets = await drawTargets(client)
      const servers = { off: await startLintel(url), on: await startLintel(url, { CACHE_TTL_MS }) }
      try {
        await compare(client, targets, servers)
      } finally {
        for (const { server, close } of Object.values(servers)) {
          await close()
          await stopServer(server)
        }
      }
      await lookUps(url, client, targets)
    })
  } finally {
    await bench.drop(DATABASE)
  }
}

await withServer(main)
