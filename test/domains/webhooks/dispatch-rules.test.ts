import t from 'tap'
import { loadConfig } from '../../../src/config.ts'
import type { DueDelivery } from '../../../src/domains/webhooks/queries/dispatch.ts'
import { Circuit } from '../../../src/domains/webhooks/service/dispatch/circuit.ts'
import { pauseAfter } from '../../../src/domains/webhooks/service/dispatch/schedule.ts'
import { Sender } from '../../../src/domains/webhooks/service/dispatch/sender.ts'
import { freeSlots } from '../../../src/domains/webhooks/service/dispatch/slots.ts'
import { newSecret } from '../../../src/domains/webhooks/service/secrets.ts'
import { newId } from '../../../src/lib/ids.ts'
import { listener, outboundClient } from '../../helpers/outbound.ts'

const config = loadConfig({ NODE_ENV: 'test' })

t.test('the published schedule: 0, 5 s, 5 m, 30 m, 2 h, 5 h, 10 h, 14 h, 20 h, 24 h, each within 20 %', async t => {
  const { webhookSchedule: schedule } = config
  t.same(schedule, [0, 5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400])
  for (const [attempt, seconds] of schedule.slice(1).entries()) {
    t.equal(
      pauseAfter(attempt + 1, schedule, () => 0),
      seconds * 800,
    )
    t.equal(
      pauseAfter(attempt + 1, schedule, () => 0.5),
      seconds * 1_000,
    )
    t.equal(
      pauseAfter(attempt + 1, schedule, () => 1),
      seconds * 1_200,
    )
  }
  t.equal(pauseAfter(schedule.length, schedule), undefined, 'none after the last')
})

t.test(
  'a circuit opens after five failures in a row, is probed with growing pauses, and any success closes it',
  async t => {
    const circuit = new Circuit(0)
    for (let n = 0; n < 4; n++) circuit.failed({ isProbe: false, nowMs: 0 })
    t.notOk(circuit.isOpen)
    t.equal(circuit.blockedMs(0), 0)
    circuit.failed({ isProbe: false, nowMs: 0 })
    t.ok(circuit.isOpen)
    const first = circuit.blockedMs(0)
    t.ok(first >= 4_000 && first <= 6_000)
    circuit.failed({ isProbe: false, nowMs: 0 })
    t.equal(circuit.failures, 5, 'attempts that had begun before do not count')
    circuit.failed({ isProbe: true, nowMs: 10_000 })
    const second = circuit.blockedMs(10_000)
    t.ok(second >= 8_000 && second <= 12_000)
    for (let n = 0; n < 20; n++) circuit.failed({ isProbe: true, nowMs: 1_000_000 })
    t.ok(circuit.blockedMs(1_000_000) <= 360_000, 'at most five minutes, and the jitter')
    circuit.succeeded()
    t.notOk(circuit.isOpen)
    t.equal(circuit.blockedMs(0), 0)
    t.ok(new Circuit(7).isOpen, 'the next process goes on from what was stored')
  },
)

t.test('slots: ten for an endpoint, and half of what is shared is for those that have none', async t => {
  t.equal(freeSlots({ inProcess: 0, toOrigin: 0, toEndpoint: 0 }), 10)
  t.equal(freeSlots({ inProcess: 10, toOrigin: 10, toEndpoint: 10 }), 0)
  t.equal(freeSlots({ inProcess: 128, toOrigin: 0, toEndpoint: 0 }), 1)
  t.equal(freeSlots({ inProcess: 128, toOrigin: 1, toEndpoint: 1 }), 0)
  t.equal(freeSlots({ inProcess: 20, toOrigin: 12, toEndpoint: 0 }), 1)
  t.equal(freeSlots({ inProcess: 24, toOrigin: 24, toEndpoint: 0 }), 0, 'fewer than the 32 sockets of an origin')
  t.equal(freeSlots({ inProcess: 256, toOrigin: 0, toEndpoint: 0 }), 0)
})

t.test('an endpoint whose name leads inside is refused where the socket is opened, with no connection', async t => {
  const inside = await listener(t)
  const resolve = async () => [{ address: '127.0.0.1', family: 4 }]
  const outbound = outboundClient(t, { resolve, ports: [inside.port], http: true })
  const { keyring } = config
  const webhookId = newId()
  const sender = new Sender({ outbound } as never, { keyring, timeoutMs: 5_000, schedule: [0, 5] })
  const delivery: DueDelivery = {
    id: newId(),
    webhookId,
    eventId: newId(),
    attemptCount: 0,
    nextAttemptAt: null,
    url: `http://hooks.example.com:${inside.port}/`,
    secret: newSecret(keyring, webhookId).sealed,
    previousSecret: null,
    traceparent: null,
    type: 'task.created',
    timestamp: new Date().toISOString(),
    data: '{}',
  }
  const outcome = await sender.send(delivery)
  t.match(outcome, { state: 'pending', attempt: { status: null, error: 'the host name leads to no public address' } })
  t.equal(inside.connections(), 0)
})
