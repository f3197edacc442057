import { setTimeout as sleep } from 'node:timers/promises'
import { type Setup, setups } from './setups.ts'

/** A request of the parent; one at a time. */
export interface Order {
  work: 'read' | 'transaction'
  seconds: number
}

export interface Outcome {
  done: number
  failed: number
  unsettled: number
  uncaught: number
  /** Whether the driver works again after the faults. */
  usable: boolean
  seconds: number
  cpuMicros: number
}

const IN_FLIGHT = 32
const ROWS = 100_000
/** Longer than every timeout of either driver: a call that has not settled by then never will. */
const GRACE_MS = 6_000
const RETRY_MS = 100

const [name = '', url = ''] = process.argv.slice(2)
let uncaught = 0
process.on('uncaughtException', () => uncaught++)
process.on('unhandledRejection', () => uncaught++)

async function becomesUsable(setup: Setup): Promise<boolean> {
  for (const started = performance.now(); performance.now() - started < GRACE_MS; await sleep(RETRY_MS)) {
    const read = setup.read(1).then(
      () => true,
      () => false,
    )
    if (await Promise.race([read, sleep(GRACE_MS, false)])) return true
  }
  return false
}

async function run(setup: Setup, { work, seconds }: Order): Promise<Outcome> {
  const outcome = { done: 0, failed: 0, unsettled: 0 }
  const started = performance.now()
  const ends = started + seconds * 1_000
  const cpu = process.cpuUsage()
  const before = uncaught

  const client = async () => {
    while (performance.now() < ends) {
      outcome.unsettled++
      try {
        await setup[work](1 + Math.floor(Math.random() * ROWS))
        outcome.done++
      } catch {
        outcome.failed++
        // An immediate error must not turn the client into a busy loop.
        await sleep(1)
      }
      outcome.unsettled--
    }
  }
  const clients = Promise.all(Array.from({ length: IN_FLIGHT }, client))
  await sleep(seconds * 1_000)
  const { user, system } = process.cpuUsage(cpu)
  const took = (performance.now() - started) / 1_000
  await Promise.race([clients, sleep(GRACE_MS)])
  const usable = await becomesUsable(setup)
  return { ...outcome, uncaught: uncaught - before, usable, seconds: took, cpuMicros: user + system }
}

const setup = await setups[name]?.(url)
if (!setup) throw new Error(`no set-up named "${name}"`)
process.on('message', async (order: Order) => process.send?.(await run(setup, order)))
process.on('disconnect', () => process.exit())
process.send?.('ready')
