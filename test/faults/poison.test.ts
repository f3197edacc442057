import { Type } from '@sinclair/typebox'
import { sql as query } from 'drizzle-orm'
import t from 'tap'
import type { Database } from '../../src/database/client.ts'
import { coalesce } from '../../src/database/fast-path/coalesce.ts'
import { defineList } from '../../src/database/list.ts'
import { type Params, statement } from '../../src/database/statement.ts'
import { LastUses } from '../../src/domains/api-keys/service/last-uses.ts'
import { keyFinder } from '../../src/domains/api-keys/service/look-up.ts'
import { transferPoster } from '../../src/domains/billing/ledger/service/poster.ts'
import { memberships } from '../../src/domains/organizations/queries/access.ts'
import { projects } from '../../src/domains/projects/tables.ts'
import { listProjectTasks, readTask } from '../../src/domains/tasks/queries/read.ts'
import { taskCreator } from '../../src/domains/tasks/service/creator.ts'
import type { Caller } from '../../src/events/caller.ts'
import { recentWriters } from '../../src/events/written.ts'
import { sha256 } from '../../src/lib/crypto.ts'
import { newId } from '../../src/lib/ids.ts'
import { newApiKey } from '../../src/lib/keys.ts'
import { Id, type ListOf, type Written } from '../../src/lib/schema.ts'
import { sourcesIn } from '../architecture/sources.ts'
import { createKey, createOrganization } from '../helpers/actors.ts'
import { testApp } from '../helpers/app.ts'
import { createProject, createTask } from '../helpers/factories.ts'
import { recordStatements } from '../helpers/statements.ts'
import { type Random, seeded } from './random.ts'

const GOOD = 100
/** Set `POISON_ROUNDS` for a long run; the bar is 100,000 good reads, 1,000 rounds. */
const ROUNDS = Number(process.env.POISON_ROUNDS ?? 10)
const UUID = /^[0-9a-f-]{36}$/
const NOT_AN_ID = 'urn:uuid:00000000-0000-7000-8000-000000000000'

/** Calls that share statements: `good` returns whether its result is right, `bad` rejects. */
interface Path {
  good(): Promise<boolean>
  bad(): Promise<unknown>
}

const test = await testApp(t)
const { app, sql } = test
const { database } = app
const organization = await createOrganization(test)
const { member } = organization
const projectId = await createProject(test, { organizationId: organization.id })
const taskId = await createTask(test, { projectId })
const principal = { principalId: member.id }
const caller: Caller = {
  actor: { type: 'user', id: member.id },
  address: null,
  userAgent: null,
  requestId: null,
  traceparent: null,
  joined: false,
  claim: null,
  transaction: work => database.transaction(work),
}

function reads(): Path {
  return {
    good: async () => (await readTask(database, { id: taskId, ...principal }))?.id === taskId,
    bad: () => readTask(database, { id: NOT_AN_ID, ...principal }),
  }
}

function creates(): Path {
  const create = taskCreator(app)
  const actor = { type: 'user', id: member.id, sessionId: member.sessionId, role: 'user' } as const
  const made = new Set<string>()
  return {
    good: async () => {
      const { id } = await create(caller, actor, projectId, { title: 'Good' })
      return UUID.test(id) && made.size < made.add(id).size
    },
    bad: () => create(caller, actor, NOT_AN_ID, { title: 'Bad' }),
  }
}

const accountIds = [newId(), newId()] as [string, string]
await sql(
  `insert into accounts (id, organization_id, kind, currency, balance_cents)
    select id, $1, 'normal', 'EUR', 1000000 from unnest($2::uuid[]) id`,
  [organization.id, accountIds],
)

/** Everything that a caller sends is checked before, so the event is what the database refuses. */
function transfers(): Path {
  const post = transferPoster(app)
  const { id, sessionId } = organization.owner
  const actor = { type: 'user', id, sessionId, role: 'user' } as const
  const [fromAccountId, toAccountId] = accountIds
  const claim: Caller['claim'] = {
    answer: (status, _payload, location) => ({
      id: sha256(newId()),
      fingerprint: sha256(''),
      status,
      body: '{}',
      location,
      etag: null,
    }),
  }
  const move = { fromAccountId, toAccountId, amountCents: 1, currency: 'EUR' }
  const as = (actorId: string) => post({ ...caller, claim, actor: { type: 'user', id: actorId } }, actor, move)
  return { good: async () => UUID.test((await as(id)).id), bad: () => as(NOT_AN_ID) }
}

function access(): Path {
  const find = memberships(database, projects, 'organization_id')
  return {
    good: async () => (await find(projectId, member.id))?.role === 'member',
    bad: () => find(NOT_AN_ID, member.id),
  }
}

const { key, id: keyId } = await createKey(test, organization.id, 'tasks:read')

/** No key has a hash that the database refuses, so the hash is replaced before the query. */
function keys(): Path {
  const badKey = newApiKey('test')
  const refused = (hash: unknown) => (sha256(badKey).equals(hash as Buffer) ? '\\xzz' : hash)
  const hostile: Database = Object.create(database, {
    coalesces: { value: true },
    run: {
      value: (query: { values: unknown[][] }) =>
        database.run({ ...query, values: query.values.map(hashes => hashes.map(refused)) } as never),
    },
  })
  const { by: find } = keyFinder(hostile, new LastUses(database, { warn: () => {} }))
  return { good: async () => (await find(key))?.id === keyId, bad: () => find(badKey) }
}

const jsonOf = (list: ListOf<unknown> | undefined): string => (list as { data: Written<unknown> }).data.complete('{}')

function lists(): Path {
  const ofProject = (id: string) => listProjectTasks(database, { projectId: id }, principal, { limit: 1 })
  const good = async () => {
    const {
      data: [task],
      meta,
    } = JSON.parse(jsonOf(await ofProject(projectId)))
    return UUID.test(task?.id) && meta !== undefined
  }
  return { good, bad: () => ofProject(NOT_AN_ID) }
}

await sql('create table amounts (id uuid primary key, big bigint)')
const [fits, tooBig] = [taskId, projectId]
await sql('insert into amounts values ($1, 1), ($2, $3)', [fits, tooBig, 2n ** 53n])

/** The database returns a row that its reader refuses. */
function unreadableRows(): Path {
  const find = statement(
    'test.amounts',
    (_, $: Params<{ ids: string[] }>) => query<{ id: string; big: number }>`
      select a.id, a.big from unnest(${$.ids}::uuid[]) asked(id) join amounts a using (id)`,
  )
  const load = coalesce(database, async (ids: readonly string[]) => {
    const rows = new Map((await find(database, { ids: [...ids] })).map(row => [row.id, row]))
    return ids.map(id => rows.get(id) ?? new Error('no row'))
  })
  return { good: async () => (await load(fits)).big === 1, bad: () => load(tooBig) }
}

/** The same in a list, where rows are written as JSON as they arrive. */
function unwritableRows(): Path {
  const list = defineList<{ id: string; big: number }, { id: string }>({
    name: 'test.amounts_of',
    item: Type.Object({ id: Id, big: Type.Integer() }),
    columns: query`a.id, a.big`,
    from: query`amounts a`,
    where: $ => query`a.id = ${$.id}`,
    parent: $ => query`(select where ${$.id}::uuid is not null) visible`,
    id: { on: query`a.id`, key: 'id', type: 'uuid' },
    sorts: { createdAt: { on: query`a.id`, key: 'id', type: 'uuid' } },
    defaultSort: 'createdAt',
  })
  const written = async (id: string) => jsonOf(await list(database, { id }, {}, {}))
  return {
    good: async () => (await written(fits)) === JSON.stringify({ data: [{ id: fits, big: 1 }], meta: {} }),
    bad: () => written(tooBig),
  }
}

function writers(): Path {
  const hasWritten = recentWriters(database, 1)
  return { good: async () => (await hasWritten(member.id)) === false, bad: () => hasWritten(NOT_AN_ID) }
}

/** The paths to test, by the file that shares statements. */
const PATHS: Record<string, (() => Path)[]> = {
  'src/domains/tasks/queries/read.ts': [reads],
  'src/domains/tasks/service/creator.ts': [creates],
  'src/domains/billing/ledger/service/poster.ts': [transfers],
  'src/domains/organizations/queries/access.ts': [access],
  'src/domains/api-keys/service/look-up.ts': [keys],
  'src/events/written.ts': [writers],
  'src/database/list/page.ts': [lists, unwritableRows],
  'test/faults/poison.test.ts': [unreadableRows],
}

t.test('every file that shares a statement among callers is tested here', async t => {
  const sharing = sourcesIn('src').filter(({ imports }) =>
    imports.some(({ target }) => target === 'src/database/fast-path/coalesce.ts'),
  )
  for (const { path } of sharing) t.ok(PATHS[path], `add a path for ${path} to PATHS in test/faults/poison.test.ts`)
})

const random = seeded(t)
for (const [file, paths] of Object.entries(PATHS))
  for (const open of paths)
    t.test(`${file}, ${open.name}: a poisoned call fails alone among ${GOOD}`, async t => {
      const path = open()
      const statements = recordStatements(app)
      const faults: string[] = []
      for (let round = 0; round < ROUNDS; round++) faults.push(...(await poison(path, random)))
      t.same(faults, [], `none of ${ROUNDS * GOOD} good calls fails`)
      t.comment(`${(statements.length / ROUNDS).toFixed(1)} statements a round`)
      t.ok(statements.length <= 2 * (GOOD + 1) * ROUNDS, 'each call is asked for at most twice')
    })

t.test('every create that was answered is there once, with its event', async t => {
  const counted = await sql(`select (select count(*)::int from tasks where title = 'Good') as tasks,
    (select count(*)::int from events where type = 'task.created') as events,
    (select count(*)::int from tasks where title = 'Bad') as bad`)
  t.same(counted, [{ tasks: GOOD * ROUNDS, events: GOOD * ROUNDS, bad: 0 }])
})

t.test('every transfer that was answered is there once, with its entries and its answer', async t => {
  const counted = await sql(
    `select (select count(*)::int from transfers) as transfers,
    (select count(*)::int from entries) as entries, (select count(*)::int from idempotency_keys) as answers,
    (select balance_cents::int from accounts where id = $1) as balance`,
    [accountIds[1]],
  )
  const made = GOOD * ROUNDS
  t.same(counted, [{ transfers: made, entries: 2 * made, answers: made, balance: 1_000_000 + made }])
})

/** Returns what went wrong with the good calls of one turn with a bad one. */
async function poison({ good, bad }: Path, random: Random): Promise<string[]> {
  const at = random.below(GOOD)
  const reasonOf = (error: Error) => `${error.message}: ${(error.cause as Error | undefined)?.message}`
  const faultOf = (isRight: boolean) => (isRight ? [] : ['a wrong answer'])
  const calls = Array.from({ length: GOOD + 1 }, async (_, n) => {
    if (n !== at) return good().then(faultOf, reasonOf)
    return bad().then(
      () => 'the bad call was answered',
      () => [],
    )
  })
  return (await Promise.all(calls)).flat()
}
