import t from 'tap'
import { createOrganization } from '../../helpers/actors.ts'
import { testApp } from '../../helpers/app.ts'
import { call } from '../../helpers/call.ts'
import { createProject, createTask } from '../../helpers/factories.ts'

const test = await testApp(t)
const { app, sql } = test
const organization = await createOrganization(test)
const { member, outsider } = organization
const as = member

interface Row {
  id: string
  createdAt: string
  updatedAt: string
  dueAt: string | null
  priority: number
}

/** Creates a project with 30 tasks, many of which have equal sort keys. */
async function seeded(): Promise<string> {
  const projectId = await createProject(test, { organizationId: organization.id })
  for (let at = 0; at < 30; at++) {
    const dueAt = at % 3 === 0 ? null : `2030-01-0${(at % 5) + 1}T00:00:00.000Z`
    await createTask(test, { projectId, title: `Task ${at}`, priority: at % 4, dueAt })
  }
  await sql(`update tasks set updated_at = date_trunc('minute', now()) - (priority * interval '1 minute')`)
  return projectId
}

/** Reads all pages of 7 rows; `between` runs after each page. */
async function walk(path: string, between = async (_page: Row[]) => {}): Promise<Row[]> {
  const rows: Row[] = []
  let cursor: string | null = ''
  while (cursor !== null) {
    const { status, body } = await call(app, `GET ${path}&limit=7${cursor && `&cursor=${cursor}`}`, { as })
    if (status !== 200) throw new Error(`${status}: ${JSON.stringify(body)}`)
    rows.push(...body.data)
    if (body.meta.hasMore !== (body.meta.nextCursor !== null)) throw new Error('hasMore contradicts nextCursor')
    cursor = body.meta.nextCursor
    await between(body.data)
  }
  return rows
}

const SORTS = ['createdAt', 'updatedAt', 'dueAt', 'priority'] as const
const LAST = '~'

function inOrder(rows: Row[], sort: (typeof SORTS)[number], descending: boolean): boolean {
  const keyOf = (row: Row) => (sort === 'createdAt' ? row.id : `${row[sort] ?? LAST} ${row.id}`)
  const keys = rows.map(keyOf)
  const sorted = keys.toSorted((a, b) => (a < b ? -1 : 1))
  return keys.join() === (descending ? sorted.reverse() : sorted).join()
}

for (const sort of SORTS) {
  for (const descending of [false, true]) {
    const order = `${descending ? '-' : ''}${sort}`
    for (const scope of ['project', 'organization'] as const) {
      t.test(`${scope} by ${order}: every task once and in order, page by page`, async t => {
        await sql('delete from tasks')
        const projectId = await seeded()
        const path = scope === 'project' ? `/projects/${projectId}/tasks` : `/organizations/${organization.id}/tasks`
        const rows = await walk(`${path}?sort=${order}`)
        t.equal(rows.length, 30)
        t.equal(new Set(rows.map(({ id }) => id)).size, 30)
        t.ok(inOrder(rows, sort, descending))
      })
    }

    t.test(`by ${order}: what is inserted or deleted meanwhile skips and repeats nobody`, async t => {
      await sql('delete from tasks')
      const projectId = await seeded()
      const before = new Set<string>((await sql('select id from tasks')).map(({ id }: Row) => id))
      const gone = new Set<string>()
      const rows = await walk(`/projects/${projectId}/tasks?sort=${order}`, async page => {
        const last = page.at(-1)?.id as string
        await sql('delete from tasks where id = $1', [last])
        gone.add(last)
        for (const priority of [0, 3])
          await createTask(test, { projectId, title: 'late', priority, dueAt: '2030-01-03T00:00:00.000Z' })
      })
      const seen = rows.map(({ id }) => id)
      t.equal(new Set(seen).size, seen.length, 'nobody twice')
      for (const id of before) t.ok(seen.includes(id) || gone.has(id), 'nobody skipped')
      t.ok(inOrder(rows, sort, descending))
    })
  }
}

t.test('a cursor is bound to its list, its sort and its filters', async t => {
  const projectId = await seeded()
  const other = await seeded()
  const path = `/projects/${projectId}/tasks`
  const { meta } = (await call(app, `GET ${path}?limit=5&status=open`, { as })).body
  const cursor = meta.nextCursor
  const elsewhere = [
    `${path}?cursor=${cursor}`,
    `${path}?cursor=${cursor}&status=done`,
    `${path}?cursor=${cursor}&status=open&priority=1`,
    `${path}?cursor=${cursor}&status=open&sort=createdAt`,
    `${path}?cursor=${cursor}&status=open&sort=-priority`,
    `/projects/${other}/tasks?cursor=${cursor}&status=open`,
    `/organizations/${organization.id}/tasks?cursor=${cursor}&status=open`,
  ]
  for (const url of elsewhere) {
    const { status, body } = await call(app, `GET ${url}`, { as })
    t.same([status, body.code], [400, 'cursor_mismatch'], url)
  }
  t.equal((await call(app, `GET ${path}?cursor=${cursor}&status=open&limit=9`, { as })).status, 200, 'limit may change')
})

t.test('a cursor carries no authority', async t => {
  const projectId = await seeded()
  const path = `/projects/${projectId}/tasks?limit=5`
  const { meta } = (await call(app, `GET ${path}`, { as })).body
  t.equal((await call(app, `GET ${path}&cursor=${meta.nextCursor}`, { as: outsider })).status, 404)
})

t.test('a cursor that was tampered with is 400 and never reaches the database as it is', async t => {
  const projectId = await seeded()
  const id = '01a1fc80-630a-79ca-8bae-722b18c6abdf'
  const positions: Record<string, unknown[][]> = {
    createdAt: [[], [id], [1, 2], [id, `${id}'`], [null, null], [[id], [id]], [{}, {}], ['', '']],
    updatedAt: [
      ['2030-01-01', id],
      ['now', id],
      ['2030-13-45T99:99:99.999Z', id],
      ['2030-02-30T00:00:00.000Z', id],
      ['0000-01-01T00:00:00.000Z', id],
      ['2030-01-01T00:00:00.000Z', 'x'],
      [1, id],
      ["'; drop table tasks --", id],
    ],
    dueAt: [
      ['-infinity', id],
      ['2030-13-45T00:00:00.000Z', id],
      [null, id],
    ],
    priority: [['1', id], [1.5, id], [2 ** 40, id], [-(2 ** 31) - 1, id], [1, id, 'more'], [1]],
  }
  for (const [sort, list] of Object.entries(positions)) {
    const path = `/projects/${projectId}/tasks?limit=2&sort=${sort}`
    const { meta } = (await call(app, `GET ${path}`, { as })).body
    const [boundTo] = JSON.parse(Buffer.from(meta.nextCursor, 'base64url').toString())
    for (const position of list) {
      const cursor = Buffer.from(JSON.stringify([boundTo, ...position])).toString('base64url')
      const { status, body } = await call(app, `GET ${path}&cursor=${cursor}`, { as })
      t.same([status, body.code], [400, 'cursor_invalid'], `${sort} ${JSON.stringify(position)}`)
    }
  }
  for (const cursor of ['x', 'bnVsbA', 'e30', 'W10', 'WzFd', encodeURIComponent('ÿ😀')]) {
    const { status, body } = await call(app, `GET /projects/${projectId}/tasks?cursor=${cursor}`, { as })
    t.same([status, body.code], [400, 'cursor_invalid'], cursor)
  }
})

t.test('each filter finds its tasks, alone and with others', async t => {
  const projectId = await createProject(test, { organizationId: organization.id })
  const due = (day: number) => `2031-01-0${day}T00:00:00.000Z`
  const a = await createTask(test, { projectId, title: 'Paint the fence', priority: 1, dueAt: due(1) })
  const b = await createTask(test, {
    projectId,
    title: 'Buy paint',
    status: 'done',
    priority: 1,
    assigneeId: member.id,
  })
  const c = await createTask(test, { projectId, title: 'Sell the fence', priority: 3, dueAt: due(3), status: 'done' })
  const found = async (query: string) => {
    const { body } = await call(app, `GET /projects/${projectId}/tasks?sort=createdAt&count=exact&${query}`, { as })
    t.equal(body.meta.total, body.data.length, `total of ${query}`)
    return body.data.map(({ id }: Row) => id)
  }
  t.same(await found('status=done'), [b, c])
  t.same(await found('priority=1'), [a, b])
  t.same(await found(`assigneeId=${member.id}`), [b])
  t.same(await found(`dueBefore=${due(3)}`), [a])
  t.same(await found(`dueAfter=${due(1)}`), [c])
  t.same(await found('search=paint'), [a, b])
  t.same(await found('search=PAINT%20-buy'), [a])
  t.same(await found('search="the%20fence"'), [a, c])
  t.same(await found('status=done&priority=1'), [b])
  t.same(await found(`status=open&dueBefore=${due(2)}&search=fence`), [a])
  t.same(await found('search=nothing'), [])
  for (const odd of ["'", '"', '&|!', '\\', '%', ':*', '((', "'; drop table tasks; --", '<->', '\ud83d\ude00'])
    t.same(await found(`search=${encodeURIComponent(odd)}`), [], odd)
})

t.test('numbered pages carry page and, when asked, the total; they end at 10,000 rows', async t => {
  const projectId = await seeded()
  const path = `/projects/${projectId}/tasks`
  const all = (await call(app, `GET ${path}?limit=100`, { as })).body
  t.notOk('total' in all.meta || 'page' in all.meta, 'nothing is counted unless asked')
  const second = (await call(app, `GET ${path}?limit=20&page=2&count=exact`, { as })).body
  t.same(second.data, all.data.slice(20))
  t.match(second.meta, { page: 2, total: 30, totalPages: 2, limit: 20, hasMore: false })
  t.same((await call(app, `GET ${path}?limit=20&page=3`, { as })).body.data, [])
  t.equal((await call(app, `GET ${path}?limit=100&page=100`, { as })).status, 200)
  t.equal((await call(app, `GET ${path}?limit=100&page=101`, { as })).status, 422)
  const { nextCursor } = (await call(app, `GET ${path}?limit=5`, { as })).body.meta
  t.equal((await call(app, `GET ${path}?page=1&cursor=${nextCursor}`, { as })).status, 422)
})

t.test('Link names the next page as the body does', async t => {
  const projectId = await seeded()
  const first = await call(app, `GET /projects/${projectId}/tasks?limit=5&status=open`, { as })
  const [, url = '', rel] = /^<([^>]+)>; rel="(\w+)"$/.exec(first.headers.link ?? '') ?? []
  t.equal(rel, 'next')
  const next = await call(app, `GET ${url}`, { as })
  const { nextCursor } = first.body.meta
  const byCursor = await call(app, `GET /projects/${projectId}/tasks?limit=5&status=open&cursor=${nextCursor}`, { as })
  t.same(next.body, byCursor.body)
  const last = await call(app, `GET /projects/${projectId}/tasks?limit=100`, { as })
  t.equal(last.headers.link, undefined)
})

t.test('an empty list and a list nobody may see are told apart', async t => {
  const projectId = await createProject(test, { organizationId: organization.id })
  const empty = await call(app, `GET /projects/${projectId}/tasks`, { as })
  t.same(empty.body, { data: [], meta: { limit: 20, nextCursor: null, hasMore: false } })
  t.equal((await call(app, `GET /projects/${projectId}/tasks`, { as: outsider })).status, 404)
})

/** Texts that need escapes, are not ASCII, or are long. A page of the longest is larger than any buffer that is reused. */
const TEXTS = [
  `"quotes", back\\slashes and / slashes`,
  Array.from({ length: 31 }, (_, n) => String.fromCharCode(n + 1)).join(''),
  'delete \u007f, separators \u2028\u2029, no-break\u00a0space',
  'ångström — 木 — 👩‍🔧',
  '\u0001'.repeat(10_000),
  '😀'.repeat(5_000),
  '',
]
const TIMES = [
  '2030-01-01T00:00:00.000Z',
  '2030-01-01T00:00:00.100Z',
  '2030-12-31T23:59:59.120Z',
  '9999-12-31T23:59:59.999Z',
  null,
]

t.test('a list tells of every task what the task tells of itself', async t => {
  const projectId = await createProject(test, { organizationId: organization.id })
  for (const [n, description] of TEXTS.entries()) {
    const title = description.slice(0, 100) || 'Task'
    await createTask(test, { projectId, title, description, dueAt: TIMES[n % TIMES.length] as string | null })
  }
  const { body } = await call(app, `GET /api/v1/projects/${projectId}/tasks?sort=createdAt`, { as })
  t.equal(body.data.length, TEXTS.length)
  for (const [n, task] of body.data.entries()) {
    const alone = await call(app, `GET /api/v1/tasks/${task.id}`, { as })
    t.same(Object.entries(task), Object.entries(alone.body), 'in the same order too')
    t.equal(task.description, TEXTS[n])
    t.equal(task.dueAt, TIMES[n % TIMES.length])
  }
})

t.test('lists that are read together do not mix, whatever their texts', async t => {
  const projects = await Promise.all(
    TEXTS.map(async description => {
      const projectId = await createProject(test, { organizationId: organization.id })
      for (let at = 0; at < 3; at++) await createTask(test, { projectId, title: `Task ${at}`, description })
      return { projectId, description }
    }),
  )
  const read = async ({ projectId, description }: (typeof projects)[number]) => {
    const { body } = await call(app, `GET /api/v1/projects/${projectId}/tasks?limit=2`, { as })
    const found = body.data.map((task: { projectId: string; description: string }) => [
      task.projectId,
      task.description,
    ])
    t.same(found, [
      [projectId, description],
      [projectId, description],
    ])
    t.equal(body.meta.hasMore, true)
  }
  await Promise.all([...projects, ...projects, ...projects].map(read))
})
