import { readFileSync } from 'node:fs'
import { sql as query } from 'drizzle-orm'
import t from 'tap'
import manifest from '../../package.json' with { type: 'json' }
import { connectionOptions } from '../../src/database/client.ts'
import { Pipeline } from '../../src/database/fast-path/pipeline.ts'
import { RowPlan } from '../../src/database/fast-path/rows.ts'
import { Servers } from '../../src/database/servers.ts'
import { type Params, prepared } from '../../src/database/statement.ts'
import { createDatabase } from '../helpers/database.ts'

const SILENT_MS = 2_000
const SLOW_SECONDS = 0.8

const { url, drop } = await createDatabase()
const lost: object[] = []
const pipeline = new Pipeline(
  { ...connectionOptions(url), query_timeout: SILENT_MS },
  { servers: new Servers(url), log: { warn: details => lost.push(details) } },
)
await pipeline.open()
t.teardown(() => pipeline.close().then(drop))

const plans = { sleep: new RowPlan(), divide: new RowPlan() }
const sleep = prepared(
  'test.sleep',
  (_, $: Params<{ seconds: number }>) => query`select pg_sleep(${$.seconds}::float)::text`,
)
const divide = prepared(
  'test.divide',
  (_, $: Params<{ by: string }>) => query<{ n: number }>`select 6 / ${$.by}::int as n`,
)
const run = {
  sleep: () => pipeline.read({ ...sleep({ seconds: SLOW_SECONDS }), rows: plans.sleep.rows() }),
  divide: async (by: string) => (await pipeline.read({ ...divide({ by }), rows: plans.divide.rows() }))[0]?.n,
}

t.test('the versions of the driver are those whose inside was read', async t => {
  const readme = readFileSync(new URL('../../src/database/fast-path/README.md', import.meta.url), 'utf8')
  const { pg, 'pg-protocol': protocol } = manifest.dependencies
  t.match(readme, `\`pg\` ${pg} and \`pg-protocol\` ${protocol}, pinned`)
})

t.test('a statement that fails fails alone, whatever is sent before and behind it, also on its first use', async t => {
  for (let round = 0; round < 2; round++) {
    const answers = await Promise.allSettled(['0', '1', 'x', '2', '0', '3'].map(run.divide))
    t.match(answers, [
      { reason: { code: '22012' } },
      { value: 6 },
      { reason: { code: '22P02' } },
      { value: 3 },
      { reason: { code: '22012' } },
      { value: 2 },
    ])
  }
})

t.test('a value that cannot be sent fails its own statement, and the connection is good for the next', async t => {
  const circular: Record<string, unknown> = {}
  circular.self = circular
  const answers = await Promise.allSettled([run.divide('1'), run.divide(circular as never), run.divide('2')])
  t.match(answers, [{ value: 6 }, { reason: TypeError }, { value: 3 }])
})

t.test('slow statements one after another are no silence', async t => {
  await Promise.all(Array.from({ length: 4 }, run.sleep))
  t.same(lost, [], 'no connection was given up')
})
