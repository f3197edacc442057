import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { LiveClient } from '../../clients/live/live.ts'
import type { Posted } from '../../clients/live/posts.ts'
import { eventually } from '../helpers/mail.ts'
import { freePort } from '../helpers/ports.ts'
import { startLintel } from './lintel.ts'
import { connect, emptyDatabase } from './postgres.ts'
import { seeded } from './random.ts'
import { createTenant } from './tenant.ts'

const KILLS = Number(process.env.FAULT_ROUNDS ?? 3)
const WRITERS = 4
/** A socket takes 6 messages in a second. */
const PAUSE_MS = 200

t.test('kill -9 under writing clients: each message is stored once, and told once, in one order', async t => {
  const random = seeded(t)
  const databaseUrl = await emptyDatabase(t)
  const port = await freePort()
  let killed = await startLintel(t, { databaseUrl, port })
  const other = await startLintel(t, { databaseUrl })
  const { token, organizationId } = await createTenant(killed.base)
  const created = await fetch(`${killed.base}/api/v1/organizations/${organizationId}/rooms`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
    body: JSON.stringify({ name: 'Room' }),
  })
  const { id: roomId } = (await created.json()) as { id: string }
  const topic = `room:${roomId}`

  const clients: LiveClient[] = []
  t.teardown(() => {
    for (const client of clients) client.close()
  })
  const open = (base: string) => {
    const told: number[] = []
    let resyncs = 0
    const client = new LiveClient({ url: `${base}/api/v1`, token: () => token })
    clients.push(client)
    const { promise: followed, resolve: onSubscribed } = Promise.withResolvers<unknown>()
    client.subscribe(topic, {
      onSubscribed,
      onEvent: ({ type, data }) => {
        if (type === 'message.created') told.push(data.sequence as number)
      },
      onResync: () => void resyncs++,
    })
    return { client, told, followed, resyncs: () => resyncs }
  }
  const readers = [open(killed.base), open(other.base)]
  // What is written before a reader follows the room is not told to it.
  for (const { followed } of readers) await followed
  const writers = Array.from({ length: WRITERS }, (_, n) => open(n % 2 ? killed.base : other.base).client)

  let isOver = false
  const acknowledged: Posted[] = []
  const write = async (client: LiveClient, writer: number) => {
    for (let n = 0; !isOver; n++) {
      acknowledged.push(await client.post(topic, `Message ${n} of ${writer}`))
      await sleep(random.below(PAUSE_MS) + PAUSE_MS)
    }
  }
  const writing = writers.map(write)
  for (let kill = 0; kill < KILLS; kill++) {
    await sleep(1_000 + random.below(1_000))
    await killed.end('SIGKILL')
    killed = await startLintel(t, { databaseUrl, port })
  }
  isOver = true
  await Promise.all(writing)

  const database = await connect(databaseUrl)
  t.teardown(() => database.end())
  const { rows } = await database.query(
    'select id, sequence::int, body from messages where room_id = $1 order by sequence',
    [roomId],
  )
  const expected = Array.from({ length: rows.length }, (_, n) => n + 1)
  t.same(
    rows.map(({ sequence }) => sequence),
    expected,
    'the numbers have no gap',
  )
  t.equal(new Set(rows.map(({ body }) => body)).size, rows.length, 'no message is stored twice')
  const ids = new Map(rows.map(({ id, sequence }) => [id, sequence]))
  t.ok(
    acknowledged.every(({ id, sequence }) => ids.get(id) === sequence),
    'each that was acknowledged is there',
  )
  t.equal(acknowledged.length, rows.length, 'each that is there was acknowledged in the end')
  for (const { told } of readers)
    await eventually(async () => told.length >= rows.length, `all ${rows.length} messages, not ${told.length}`)
  for (const { told, resyncs } of readers) {
    t.same(told, expected, 'each is told once, in the order of the numbers')
    t.equal(resyncs(), 0)
  }
  t.comment(`${KILLS} kills, ${rows.length} messages of ${WRITERS} writers`)
  t.same([...killed.faults(), ...other.faults()], [])
})
