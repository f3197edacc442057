import t from 'tap'
import { anotherNode, testApp } from '../helpers/app.ts'
import { type Answer, call } from '../helpers/call.ts'
import { createProject, createTask } from '../helpers/factories.ts'
import { startServices } from '../helpers/services.ts'
import { ChangeLog } from './changes.ts'
import { Client, type Sending } from './client.ts'
import { listFaults } from './lists.ts'
import { type Operation, Specification, streams, successOf } from './specification.ts'
import { Tenant } from './tenant.ts'

/** The responses with and without the fast path (`DATABASE_FAST_PATH`), on one database, are equal byte for byte. */
const services = await startServices(t)
const test = await testApp(t, { ...services, databaseFastPath: true })
const specification = new Specification(test.app)
const client = new Client(test, specification)
const ours = await Tenant.create({ test, client, specification, log: await ChangeLog.open(test) })
const app = await anotherNode(t, test, { ...services, databaseFastPath: false })
const plain = new Client({ ...test, app }, specification)

const isRead = (operation: Operation) => operation.method === 'GET' && !streams(operation)
/** Redirects are left out: each contains a new secret. */
const reads = specification.chosen(t, operation => isRead(operation) && successOf(operation) === '200')

/** Returns the parts that must be equal; a problem contains the id of its request. */
const partsOf = ({ status, text, headers }: Answer): unknown[] =>
  status === 200 ? [status, text, headers.etag, headers.link] : [status]

/** Asks both apps; throws when they differ. */
async function ask(operation: Operation, sending: Sending): Promise<Answer> {
  const [fast, slow] = [await client.send(operation, sending), await plain.send(operation, sending)]
  if (String(partsOf(fast)) === String(partsOf(slow))) return fast
  throw new Error(`${JSON.stringify(sending.query)}: ${fast.status} ${fast.text} but ${slow.status} ${slow.text}`)
}

for (const operation of reads)
  t.test(`${operation.id} says the same without the fast path`, async t => {
    const as = operation.access.kind === 'platform' ? ours.world.platformAdmin : ours.owner
    const params = await ours.paramsOf(operation)
    const scoped = operation.parameters.some(({ name }) => name === 'organizationId')
    const scope: Record<string, string> = scoped ? { organizationId: ours.world.organization.id } : {}
    t.equal((await ask(operation, { as, params, query: scope })).status, 200)
    if (operation.parameters.some(({ name }) => name === 'limit'))
      await listFaults(operation, params, query => ask(operation, { as, params, query: { ...scope, ...query } }))
    t.same([client.faults, plain.faults], [[], []], 'every answer fits the document')
  })

const TITLES = [
  '"quoted" \\ and \\"',
  'line\nbreak\r\ttab',
  '\u0001\u001f\u007f\u0080',
  '\u2028\u2029',
  'ß ł 日本語 🦊',
  '</script>',
  '\\u0041',
]

t.test('whatever stands in a text or is missing', async t => {
  const { organization } = ours.world
  const projectId = await createProject(test, { organizationId: organization.id })
  const tasks = TITLES.map((title, at) => ({
    title,
    description: at % 2 ? title.repeat(10_000) : null,
    dueAt: at % 3 ? '2030-01-02T03:04:05.6Z' : null,
    priority: at % 4,
  }))
  const ids = await Promise.all(tasks.map(task => createTask(test, { projectId, ...task })))
  const as = organization.viewer
  const paths = [
    ...ids.map(id => `/tasks/${id}`),
    `/projects/${projectId}/tasks`,
    `/projects/${projectId}/tasks?limit=2`,
  ]
  for (const path of paths) {
    const [fast, slow] = await Promise.all([test.app, app].map(node => call(node, `GET ${path}`, { as })))
    t.equal(fast?.status, 200)
    t.equal(fast?.text, slow?.text)
  }
})

t.test('what is created', async t => {
  const { organization } = ours.world
  const projectId = await createProject(test, { organizationId: organization.id })
  const created = await call(app, `POST /projects/${projectId}/tasks`, {
    as: organization.member,
    body: { title: 'New' },
  })
  t.equal(created.status, 201)
  const read = await call(test.app, `GET /tasks/${created.body.id}`, { as: organization.member })
  t.same(read.text, created.text)
})
