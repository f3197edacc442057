import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import t, { type Test } from 'tap'
import { WebSocketServer } from 'ws'
import { delayAfter, isFinal } from '../../clients/live/closing.ts'
import { LiveClient, type LiveEvent, type LiveOptions } from '../../clients/live/live.ts'
import { CLOSE } from '../../src/plugins/sockets/codes.ts'
import { createTenant, postTask, type Tenant } from '../domains/audit/tenant.ts'
import { startProxy } from '../faults/proxy.ts'
import { listen, testApp } from '../helpers/app.ts'
import { call } from '../helpers/call.ts'
import { eventually } from '../helpers/mail.ts'

const test = await testApp(t)
const base = await listen(test.app)

/** What a listener was told. */
function listener() {
  const events: LiveEvent[] = []
  const told: string[] = []
  let cursor: string | undefined
  let isFollowing = false
  return {
    events,
    told,
    cursor: () => cursor,
    onEvent(event: LiveEvent, at: string) {
      events.push(event)
      cursor = at
    },
    onSubscribed() {
      isFollowing = true
    },
    onResync: (reason: string) => void told.push(reason),
    onRefused: ({ code }: { code: string }) => void told.push(code),
    targets: () => events.map(({ target }) => target.id),
    follows: () => eventually(async () => isFollowing, 'the topic is followed'),
    has: (count: number) => eventually(async () => events.length >= count, `${count} events`),
  }
}

const tokenOf = ({ member }: Pick<Tenant, 'member'>): string => member.headers.authorization?.slice(7) as string

interface Opening extends Partial<LiveOptions> {
  at?: string
}
function open(t: Test, tenant: Tenant, { at = base, ...options }: Opening = {}) {
  const ends: string[] = []
  const connections: boolean[] = []
  const client = new LiveClient({
    url: `${at}/api/v1`,
    token: () => tokenOf(tenant),
    onEnd: reason => void ends.push(reason),
    onConnection: isOpen => void connections.push(isOpen),
    ...options,
  })
  t.teardown(() => client.close())
  const isOpen = (times = 1) =>
    eventually(async () => connections.filter(Boolean).length >= times, `open ${times} times`)
  return { client, ends, connections, isOpen }
}

/** Subscribes as the only listener of a client of its own. */
async function follow(t: Test, tenant: Tenant, opening: Opening = {}, after?: string) {
  const heard = listener()
  const opened = open(t, tenant, opening)
  const stop = opened.client.subscribe(`organization:${tenant.id}`, heard, after)
  return { ...opened, heard, stop }
}

t.test('events arrive in order, also on a topic that is added later, and end with the subscription', async t => {
  const tenant = await createTenant(test)
  const { client, heard, stop } = await follow(t, tenant)
  await heard.follows()
  const other = listener()
  const [first] = [await postTask(test, tenant)]
  await heard.has(1)
  client.subscribe(`project:${tenant.projectId}`, other, heard.cursor())
  const second = await postTask(test, tenant)
  await Promise.all([heard.has(2), other.has(1)])
  t.same(heard.targets(), [first, second])
  t.same(other.targets(), [second])
  stop()
  await postTask(test, tenant)
  await other.has(2)
  t.equal(heard.events.length, 2)
})

t.test('over a network that is cut again and again every event arrives once, in order', async t => {
  const tenant = await createTenant(test)
  const proxy = await startProxy(t, base)
  const { heard, isOpen } = await follow(t, tenant, { at: new URL(proxy.url).origin })
  await heard.follows()
  const ids: string[] = [await postTask(test, tenant)]
  await heard.has(1)
  for (let round = 2; round <= 4; round++) {
    const accept = proxy.refuse()
    ids.push(await postTask(test, tenant), await postTask(test, tenant))
    accept()
    await isOpen(round)
    ids.push(await postTask(test, tenant))
    await heard.has(ids.length)
  }
  t.same(heard.targets(), ids)
  t.same(heard.told, [])
})

t.test('a program that starts again goes on after its stored cursor', async t => {
  const tenant = await createTenant(test)
  const before = await follow(t, tenant)
  await before.heard.follows()
  await postTask(test, tenant)
  await before.heard.has(1)
  before.client.close()
  const missed = await postTask(test, tenant)
  const { heard } = await follow(t, tenant, {}, before.heard.cursor())
  await heard.has(1)
  t.same(heard.targets(), [missed])
})

t.test('an unknown cursor is told as resync, a topic elsewhere as refused, and the others go on', async t => {
  const [tenant, foreign] = [await createTenant(test), await createTenant(test)]
  const { client, isOpen, heard } = await follow(t, tenant, {}, 'invented')
  const refused = listener()
  client.subscribe(`organization:${foreign.id}`, refused)
  await isOpen()
  await eventually(async () => heard.told.length + refused.told.length === 2, 'both are told')
  t.same([heard.told, refused.told], [['cursor_unknown'], ['not_found']])
  const id = await postTask(test, tenant)
  await heard.has(1)
  t.same(heard.targets(), [id])
})

t.test('a session that ends stops the client, once the token is refused', async t => {
  const tenant = await createTenant(test)
  const { isOpen, ends } = await follow(t, tenant)
  await isOpen()
  await call(test.app, 'POST /auth/logout', { as: tenant.member, body: {} })
  await eventually(async () => ends.length > 0, 'the client has ended')
  t.same(ends, ['the ticket was refused with 401'])
})

/** A server that speaks only as much of the protocol as a test needs. */
async function fakeServer(t: Test, answer: (attempt: number) => { status: number; headers?: Record<string, string> }) {
  let tickets = 0
  const server = createServer((_request, response) => {
    const { status, headers } = answer(++tickets)
    response.writeHead(status, headers).end(JSON.stringify({ ticket: 'x' }))
  })
  const sockets = new WebSocketServer({ server })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => {
    for (const socket of sockets.clients) socket.terminate()
    server.close()
  })
  return { base: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, sockets, tickets: () => tickets }
}

t.test('a server that says nothing for two heartbeats is given up, and one that answers pings is kept', async t => {
  const tenant = await createTenant(test)
  const { base: at, sockets } = await fakeServer(t, () => ({ status: 200 }))
  let connected = 0
  let pongs = 0
  sockets.on('connection', socket => {
    const isSilent = ++connected === 1
    socket.send(JSON.stringify({ type: 'welcome', heartbeatMs: 100 }))
    socket.on('message', data => {
      if (isSilent || !String(data).includes('ping')) return
      pongs++
      socket.send('{"type":"pong"}')
    })
  })
  await follow(t, tenant, { at })
  await eventually(async () => pongs >= 5, 'five pongs on the second socket')
  t.equal(connected, 2)
})

t.test('an overloaded server is asked again, with a ticket for each attempt', async t => {
  const tenant = await createTenant(test)
  const {
    base: at,
    tickets,
    sockets,
  } = await fakeServer(t, attempt => (attempt < 3 ? { status: 503, headers: { 'retry-after': '0' } } : { status: 200 }))
  sockets.on('connection', socket => socket.send(JSON.stringify({ type: 'welcome', heartbeatMs: 60_000 })))
  const { isOpen } = await follow(t, tenant, { at })
  await isOpen()
  t.equal(tickets(), 3)
})

t.test('a server that does not accept the messages of this client is not asked again', async t => {
  const tenant = await createTenant(test)
  const { base: at, tickets, sockets } = await fakeServer(t, () => ({ status: 200 }))
  sockets.on('connection', socket => socket.close(CLOSE.bad_message.code))
  const { ends } = await follow(t, tenant, { at })
  await eventually(async () => ends.length > 0, 'the client has ended')
  t.same([ends, tickets()], [['the server closed the socket with 4400'], 1])
})

t.test('delays grow to 30 s, are random, and follow what the close codes ask for', async t => {
  const [least, most] = [() => 0, () => 1]
  t.same(
    [0, 1, 5, 20].map(attempt => delayAfter(undefined, attempt, most)),
    [1_000, 2_000, 30_000, 30_000],
  )
  t.equal(delayAfter(undefined, 20, least), 0)
  t.same([delayAfter(CLOSE.restart.code, 0, least), delayAfter(CLOSE.restart.code, 0, most)], [1_000, 2_000])
  t.equal(delayAfter(CLOSE.renew.code, 0, most), 0)
  t.ok(delayAfter(CLOSE.renew.code, 3, most) > 0, 'a server that always asks to renew is not asked in a loop')
  t.equal(delayAfter(CLOSE.too_many.code, 0, least), 10_000)
  t.same(
    Object.values(CLOSE).filter(({ code }) => isFinal(code)),
    Object.values(CLOSE).filter(({ client }) => client.includes('do not reconnect')),
  )
})
