import type pg from 'pg'
import { migrate } from '../src/database/migrate.ts'
import { startLintel } from './contestants.ts'
import { type BenchServer, withClient, withServer } from './database.ts'
import { type Measured, measure, startLoad } from './measure.ts'
import { numberOptions } from './options.ts'
import { drawTargets, seed, type Targets } from './seed.ts'
import { freePort, type Server, startServer, stopServer } from './servers.ts'
import { median } from './statistics.ts'
import type { LoadRequest } from './works.ts'

// Measures the query of a dashboard (20 tasks of a project with their assignees and numbers of comments) against a
// mercurius server that has only loaders (`floor/graph.ts`), over the same rows.

const DATABASE = 'lintel_bench_graphql'
/** What the bar wants. */
const WANTED_RATIO = 3
const QUERY = `query ($id: ID!) {
  project(id: $id) {
    name
    tasks(first: 20) {
      edges { node { id title status priority dueAt assignee { name } comments { totalCount } } }
    }
  }
}`
/** Three of four tasks get an assignee, and each gets up to four comments. */
const MORE_ROWS = `
  update tasks t set assignee_id = t.created_by where ('x' || right(t.id::text, 1))::bit(4)::int % 4 > 0;
  insert into comments (id, organization_id, task_id, author_id, body)
    select gen_random_uuid(), t.organization_id, t.id, t.created_by, 'The frame is straight.'
    from tasks t, generate_series(1, ('x' || right(t.id::text, 1))::bit(4)::int % 5);
  analyze`

const { tasks, rounds, seconds, connections } = numberOptions({
  tasks: 100_000,
  rounds: 7,
  seconds: 4,
  connections: 32,
})

const requestsOf = ({ projects }: Targets, tokens: ReadonlyMap<string, string>): LoadRequest[] =>
  projects.map(({ id, userId }) => ({
    method: 'POST',
    path: '/graphql',
    headers: { authorization: `Bearer ${tokens.get(userId)}`, 'content-type': 'application/json' },
    body: JSON.stringify({ query: QUERY, variables: { id } }),
  }))

/** Throws unless both servers give the same answer. */
async function compare(servers: Server[], { path, headers, body }: LoadRequest): Promise<void> {
  const answers = await Promise.all(
    servers.map(async ({ url }) => {
      const response = await fetch(url + path, { method: 'POST', headers, body: body ?? null })
      const { data, errors } = (await response.json()) as { data: unknown; errors?: unknown }
      return JSON.stringify(errors ?? data)
    }),
  )
  if (new Set(answers).size > 1) throw new Error(`the answers differ:\n${answers.join('\n')}`)
}

const shown = (name: string, { requestsPerSecond, cpuMicros, databaseMicros, p99Ms, failed }: Measured): string =>
  `${name} ${Math.round(requestsPerSecond)}/s, ${Math.round(cpuMicros)} µs and ${Math.round(databaseMicros)} µs in the ` +
  `database, p99 ${p99Ms.toFixed(1)} ms, ${failed} failed`

async function main(bench: BenchServer): Promise<void> {
  const url = await bench.create(DATABASE)
  try {
    await migrate(url)
    await withClient(url, client => run(url, client))
  } finally {
    await bench.drop(DATABASE)
  }
}

async function run(url: string, client: pg.Client): Promise<void> {
  await seed(client, tasks)
  await client.query(MORE_ROWS)
  const targets = await drawTargets(client)
  const lintel = await startLintel(url)
  const floor = await startServer('graph-floor', ['bench/floor/graph.ts'], await freePort(), { DATABASE_URL: url })
  const load = startLoad()
  try {
    for (const request of requestsOf(targets, lintel.tokens(targets)).slice(0, 20))
      await compare([lintel.server, floor], request)
    const ratios: number[] = []
    for (let round = 1; round <= rounds; round++) {
      const measureOne = (server: Server) => {
        const requests = requestsOf(targets, lintel.tokens(targets))
        return measure(load, server, { connections, seconds, requests }, client)
      }
      const first = round % 2 ? await measureOne(floor) : undefined
      const ours = await measureOne(lintel.server)
      const theirs = first ?? (await measureOne(floor))
      ratios.push(ours.requestsPerSecond / theirs.requestsPerSecond)
      console.log(`round ${round}: ${shown('loaders only', theirs)}; ${shown('Lintel', ours)}`)
    }
    console.log(`a dashboard: ${median(ratios).toFixed(2)} of mercurius with loaders (${WANTED_RATIO} wanted)`)
  } finally {
    load.kill()
    await lintel.close()
    await Promise.all([lintel.server, floor].map(stopServer))
  }
}

await withServer(main)
