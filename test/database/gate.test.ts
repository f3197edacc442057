import t from 'tap'
import { ConnectionGate } from '../../src/database/gate.ts'
import type { AppError } from '../../src/lib/errors.ts'

const REFUSED = new Error('refused')
const CALLERS = 100

const refuse = (count: { attempts: number }) => async () => {
  count.attempts++
  throw REFUSED
}
const outcomes = async (gate: ConnectionGate, connect: () => Promise<unknown>, callers = CALLERS) => {
  const errors: AppError[] = []
  for (let caller = 0; caller < callers; caller++)
    await gate.pass(connect).catch(error => errors.push(error as AppError))
  return errors
}

t.test(
  'a server that refuses connections is asked a few times, then with pauses, and the others fail at once',
  async t => {
    const count = { attempts: 0 }
    let now = 0
    const gate = new ConnectionGate(() => now)
    const errors = await outcomes(gate, refuse(count))
    t.equal(count.attempts, 4)
    t.equal(errors.filter(({ cause }) => cause === REFUSED).length, 4)
    t.match(errors.at(-1), { code: 'database_unavailable' })
    for (let pause = 1; pause <= 5; pause++) {
      await outcomes(gate, refuse(count))
      t.equal(count.attempts, 3 + pause, 'one attempt for each pause')
      now += 99
      await outcomes(gate, refuse(count))
      t.equal(count.attempts, 3 + pause, 'none before the pause is over')
      now += 1
    }
  },
)

t.test('one connection that is lost on its way refuses nobody else', async t => {
  const gate = new ConnectionGate()
  for (let round = 0; round < CALLERS; round++) {
    await t.rejects(gate.pass(refuse({ attempts: 0 })), { code: 'database_unavailable' })
    t.equal(await gate.pass(async () => round), round)
  }
})

t.test('another connection that succeeds opens the gate', async t => {
  const gate = new ConnectionGate()
  await outcomes(gate, refuse({ attempts: 0 }))
  gate.open()
  t.equal(await gate.pass(async () => 'in'), 'in')
})
