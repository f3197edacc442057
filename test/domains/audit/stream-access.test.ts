import { connect } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { createKey, createOrganization } from '../../helpers/actors.ts'
import { anotherNode, listen, testApp } from '../../helpers/app.ts'
import { type Credentials, call } from '../../helpers/call.ts'
import { EventStreamClient } from '../../helpers/event-stream.ts'
import { eventually } from '../../helpers/mail.ts'
import { promised } from '../../helpers/promised.ts'
import { decode, forge } from '../../helpers/tokens.ts'
import { accessEndings, type Ending } from './endings.ts'
import { postProject } from './tenant.ts'

const ACCESS_BOUND_MS = promised(5_000, 30_000)
/** A stream that is not closed at all stays open for minutes. */
const BOUND_MS = 30_000
/** Long enough to open a stream. */
const LIFE_SECONDS = 5
const OF_ONE_PRINCIPAL = 10
const OF_ONE_PROCESS = 1_000

const test = await testApp(t)
const { app, config } = test
const elsewhere = await anotherNode(t, test)
const base = await listen(elsewhere)

async function open(t: Test, organizationId: string, as: Credentials) {
  const stream = await EventStreamClient.open(base, { organizationId, as })
  t.teardown(stream.leave)
  return stream
}
const create = (organizationId: string, as: Credentials) => postProject(test, organizationId, as)

const endings = await accessEndings(test)

/** Opens a stream whose access `end` ends, and a second one that must stay open unless the organization is deleted. */
async function ends(t: Test, { name, byKey, end }: Ending): Promise<void> {
  const organization = await createOrganization(test)
  const { id, admin, owner } = organization
  const as = byKey ? await createKey(test, id, 'events:read') : admin
  const [stream, kept] = [await open(t, id, as), await open(t, id, owner)]
  await create(id, owner)
  await stream.has(1)
  const { status } = await end(organization, as)
  t.ok(status < 300, `${name}: ${status}`)
  const tookMs = await stream.endsWithin(BOUND_MS)
  t.ok(tookMs < ACCESS_BOUND_MS, `${name} ends it within ${Math.round(tookMs)} ms`)
  t.equal(stream.ending, 'complete', 'in order')
  const afterwards = await open(t, id, as)
  t.ok([401, 403, 404].includes(afterwards.status), `and coming back is ${afterwards.status}`)
  if (name.includes('organization')) return
  t.equal(kept.ending, null, 'who keeps the access keeps the stream')
  const seen = kept.events.length
  await create(id, owner)
  await kept.has(seen + 1)
}

t.test('whatever ends somebody’s access ends the streams on another node', async t => {
  await Promise.all(endings.map(ending => ends(t, ending)))
})

t.test('nothing that happens after the end of somebody’s membership reaches them', async t => {
  const { id, admin, owner } = await createOrganization(test)
  const stream = await open(t, id, admin)
  const kept = await open(t, id, owner)
  await create(id, owner)
  await stream.has(1)
  await call(app, `DELETE /organizations/${id}/members/${admin.id}`, { as: owner })
  for (let n = 0; n < 5; n++) await create(id, owner)
  await kept.has(7)
  await stream.endsWithin(BOUND_MS)
  t.equal(stream.events.length, 1)
})

t.test('a stream lives no longer than the access token that it was opened with', async t => {
  const { id, admin } = await createOrganization(test)
  const { header, claims } = decode(admin.token)
  const exp = Math.floor(Date.now() / 1000) + LIFE_SECONDS
  const [key] = config.signingKeys
  const token = forge(header, { ...claims, exp }, key?.secret as string)
  const stream = await open(t, id, { headers: { authorization: `Bearer ${token}` } })
  t.equal(stream.status, 200)
  t.ok((await stream.endsWithin(BOUND_MS)) < BOUND_MS)
})

const streamsOpen = async () => Number(/^event_streams_open (\d+)/m.exec(await elsewhere.metrics.metrics())?.[1])

t.test('one principal has ten streams, and the place of one that is left is free again', async t => {
  const { id, admin, owner } = await createOrganization(test)
  const streams = await Promise.all(Array.from({ length: OF_ONE_PRINCIPAL }, () => open(t, id, admin)))
  t.ok(streams.every(({ status }) => status === 200))
  const refused = await open(t, id, admin)
  await refused.endsWithin(BOUND_MS)
  t.equal(refused.status, 429)
  t.ok(Number(refused.headers['retry-after']) > 0)
  t.match(JSON.parse(refused.text), { code: 'too_many_streams' })
  t.equal((await open(t, id, owner)).status, 200, 'others are not concerned')
  streams[0]?.leave()
  await eventually(async () => (await open(t, id, admin)).status === 200, 'a place is free')
})

t.test('who leaves at once leaves nothing behind', async t => {
  const { id, admin } = await createOrganization(test)
  const { hostname, port } = new URL(base)
  const head = `GET /api/v1/organizations/${id}/events/stream HTTP/1.1\r\nHost: x\r\nAuthorization: ${admin.headers.authorization}\r\n\r\n`
  for (let n = 0; n < 2 * OF_ONE_PRINCIPAL; n++) {
    const socket = connect(Number(port), hostname)
    socket.write(head)
    await sleep(n / 2)
    socket.destroy()
  }
  await eventually(async () => (await streamsOpen()) === 0, 'none is open')
  t.equal((await open(t, id, admin)).status, 200)
})

t.test('a process has a thousand streams, all up to date, and answers everything else', async t => {
  await eventually(async () => (await streamsOpen()) === 0, 'the others are gone')
  const { id, owner } = await createOrganization(test)
  const keys = await Promise.all(
    Array.from({ length: OF_ONE_PROCESS / OF_ONE_PRINCIPAL }, () => createKey(test, id, 'events:read')),
  )
  const url = `/api/v1/organizations/${id}/events/stream`
  const begin = ({ headers }: Credentials) => elsewhere.inject({ url, headers, payloadAsStream: true })
  const answers = await Promise.all(keys.flatMap(key => Array.from({ length: OF_ONE_PRINCIPAL }, () => begin(key))))
  t.teardown(() => {
    for (const answer of answers) answer.raw.res.destroy()
  })
  let received = 0
  for (const answer of answers)
    answer
      .stream()
      .on('error', () => {})
      .on('data', chunk => {
        received += String(chunk).includes('event: project.created') ? 1 : 0
      })
  t.equal(await streamsOpen(), OF_ONE_PROCESS)
  const refused = await open(t, id, owner)
  t.equal(refused.status, 503)
  t.ok(refused.headers['retry-after'])
  await create(id, owner)
  const begun = performance.now()
  await eventually(async () => received === OF_ONE_PROCESS, 'all are told')
  t.comment(`${Math.round(performance.now() - begun)} ms`)
  t.equal((await call(elsewhere, `GET /organizations/${id}`, { as: owner })).status, 200)
})
