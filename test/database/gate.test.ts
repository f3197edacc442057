import t from 'tap'
import { ConnectionGate } from '../../src/database/gate.ts'

const REFUSED = new Error('refused')
const CALLERS = 100

const refuse = (count: { attempts: number }) => async () => {
  count.attempts++
  throw REFUSED
}
const outcomes = async (gate: ConnectionGate, connect: () => Promise<unknown>, callers = CALLERS) => {
  const errors: unknown[] = []
  for (let caller = 0; caller < callers; caller++) await gate.pass(connect).catch(error => errors.push(error))
  return errors
}

t.test(
  'a server that refuses connections is asked three times, then with pauses, and the others fail at once',
  async t => {
    const count = { attempts: 0 }
    let now = 0
    const gate = new ConnectionGate(() => now)
    const errors = await outcomes(gate, refuse(count))
    t.equal(count.attempts, 3)
    t.equal(errors.filter(error => error === REFUSED).length, 3)
    t.match(errors.at(-1), { code: 'database_unavailable' })
    for (const [passedMs, attempts] of [
      [50, 4],
      [99, 4],
      [1, 5],
      [200, 6],
      [400, 7],
      [800, 8],
      [1_000, 9],
      [1_000, 10],
    ] as const) {
      now += passedMs
      await outcomes(gate, refuse(count))
      t.equal(count.attempts, attempts, `${attempts} attempts`)
    }
  },
)

t.test('while the gate is closed only one attempt is made at a time, and its success lets everybody in', async t => {
  let now = 0
  const gate = new ConnectionGate(() => now)
  await outcomes(gate, refuse({ attempts: 0 }))
  now += 50
  const slow = Promise.withResolvers<string>()
  const first = gate.pass(() => slow.promise)
  await t.rejects(
    gate.pass(async () => 'second'),
    { code: 'database_unavailable' },
  )
  slow.resolve('first')
  t.equal(await first, 'first')
  t.equal(await gate.pass(async () => 'third'), 'third')
})

t.test('one connection that is lost on its way refuses nobody else', async t => {
  const gate = new ConnectionGate()
  for (let round = 0; round < CALLERS; round++) {
    await t.rejects(gate.pass(refuse({ attempts: 0 })), REFUSED)
    t.equal(await gate.pass(async () => round), round)
  }
})

t.test('another connection that succeeds opens the gate', async t => {
  const gate = new ConnectionGate()
  await outcomes(gate, refuse({ attempts: 0 }))
  gate.open()
  t.equal(await gate.pass(async () => 'in'), 'in')
})
