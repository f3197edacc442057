import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { type RecordedEvent, Relay, type Subscriber } from '../../src/events/relay.ts'
import { newId } from '../../src/lib/ids.ts'
import { testApp } from '../helpers/app.ts'
import { eventually } from '../helpers/mail.ts'

const test = await testApp(t)
const { sql } = test
const { database } = test.app
const log = { warn() {} }
await sql('create table handed (subscriber text, event_id uuid)')

const insert = `insert into events (id, type, actor_type, target_type, target_id, data)
  values ($1, 'test.happened', 'system', 'test', $1, '{}')`
const publish = async (): Promise<string> => {
  const id = newId()
  await database.transaction(tx => tx.execute(insert, [id]))
  return id
}
/** Returns a subscriber that stores each received event in the transaction of the cursor. */
const noting =
  (name: string): Subscriber =>
  async (tx, events) => {
    for (const { id } of events)
      await tx.execute('insert into handed (subscriber, event_id) values ($1, $2)', [name, id])
  }
const handed = async (name: string): Promise<string[]> =>
  (await sql('select event_id from handed where subscriber = $1', [name])).map(
    (row: { event_id: string }) => row.event_id,
  )
const started = (name: string) =>
  eventually(
    async () => (await sql('select from event_cursors where subscriber = $1', [name])).length > 0,
    `${name} started`,
  )

function relay(t: { teardown(done: () => Promise<void>): void }, name: string, subscriber: Subscriber): Relay {
  const made = new Relay(database, log)
  made.subscribe(name, subscriber)
  made.start()
  t.teardown(() => made.stop())
  return made
}

t.test('each committed event is handed over exactly once and in order, whatever number of nodes there is', async t => {
  for (let node = 0; node < 3; node++) relay(t, 'nodes', noting('nodes'))
  await started('nodes')
  const ids: string[] = []
  for (let round = 0; round < 25; round++) ids.push(...(await Promise.all(Array.from({ length: 10 }, publish))))
  await eventually(async () => (await handed('nodes')).length >= ids.length, 'all are handed over')
  await sleep(600)
  const got = await handed('nodes')
  t.equal(got.length, ids.length, 'none twice')
  t.same(got.toSorted(), ids.toSorted())
  const order = (await sql(`select id from events where type = 'test.happened' order by position, seq`)).map(
    (row: { id: string }) => row.id,
  )
  t.same(
    got,
    order.filter((id: string) => got.includes(id)),
  )
})

t.test('a subscriber that fails is handed the same again, and its effects count once', async t => {
  let attempts = 0
  const seen: RecordedEvent[][] = []
  relay(t, 'failing', async (tx, events) => {
    seen.push(events)
    await noting('failing')(tx, events)
    if (++attempts < 3) throw new Error('after its effects')
  })
  await started('failing')
  const id = await publish()
  await eventually(async () => (await handed('failing')).length > 0, 'handed over')
  t.equal(attempts, 3)
  t.same(await handed('failing'), [id])
  t.ok(seen.every(batch => batch[0]?.id === id))
})

t.test('what was rolled back is never handed over, and a subscriber that fails holds up no other', async t => {
  relay(t, 'broken', async () => {
    throw new Error('always')
  })
  relay(t, 'sound', noting('sound'))
  await started('sound')
  const gone = newId()
  const failed = database.transaction(async tx => {
    await tx.execute(insert, [gone])
    throw new Error('rolled back')
  })
  await t.rejects(failed, { message: 'rolled back' })
  const id = await publish()
  await eventually(async () => (await handed('sound')).includes(id), 'the next is handed over')
  t.notOk((await handed('sound')).includes(gone))
})

t.test('a node that comes back goes on where the subscriber had stopped', async t => {
  const first = relay(t, 'resumed', noting('resumed'))
  await started('resumed')
  const one = await publish()
  await eventually(async () => (await handed('resumed')).includes(one), 'the first')
  await first.stop()
  const meanwhile = [await publish(), await publish()]
  relay(t, 'resumed', noting('resumed'))
  await eventually(async () => (await handed('resumed')).length === 3, 'the rest')
  t.same(await handed('resumed'), [one, ...meanwhile])
})
