import t from 'tap'
import { testApp } from '../helpers/app.ts'
import type { Answer } from '../helpers/call.ts'
import { Client } from './client.ts'
import { eachBy } from './each.ts'
import { type Operation, Specification } from './specification.ts'
import { World } from './world.ts'

/** Checks for every operation that changes a row that the log has its events in the order of the row's versions. */
const ABREAST = 12

const test = await testApp(t)
const specification = new Specification(test.app)
const client = new Client(test, specification)

const changes = ({ method, responses }: Operation): boolean =>
  ['PATCH', 'PUT', 'POST'].includes(method) && responses['200']?.headers?.ETag !== undefined

const versionOf = ({ headers }: Answer): number => Number(String(headers.etag).replaceAll('"', ''))

/** Returns the ids of those requests that have left an event, in the order of the log. */
async function requestsInLog(ids: string[]): Promise<string[]> {
  const rows: { id: string }[] = await test.sql(
    `select request_id as id from events where request_id = any($1)
      group by request_id order by min(position::text::numeric * 1e9 + seq)`,
    [ids],
  )
  return rows.map(({ id }) => id)
}

eachBy(t, client)(
  specification.chosen(t, changes),
  'changes at the same moment are in the log in the order of their versions',
  async (t, operation) => {
    const world = await World.create(test, client, specification)
    const as = operation.access.kind === 'platform' ? world.platformAdmin : world.organization.owner
    const params = await world.paramsOf(operation, as)
    const body = await world.bodyOf(operation, params, as)
    const answers = await Promise.all(
      Array.from({ length: ABREAST }, () => client.send(operation, { as, params, body })),
    )
    const changed = answers.filter(({ status }) => status === 200).toSorted((a, b) => versionOf(a) - versionOf(b))
    const inLog = await requestsInLog(changed.map(({ headers }) => headers['request-id'] as string))
    const known = new Set(inLog)
    t.same(
      inLog,
      changed.map(({ headers }) => headers['request-id'] as string).filter(id => known.has(id)),
      `${inLog.length} events of ${changed.length} changes`,
    )
  },
)
