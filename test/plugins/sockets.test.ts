import { EventEmitter } from 'node:events'
import t, { type Test } from 'tap'
import type { WebSocket } from 'ws'
import { CLOSE } from '../../src/plugins/sockets/codes.ts'
import { LiveSocket } from '../../src/plugins/sockets/socket.ts'

const HEARTBEAT_MS = 15_000
const MAX_AGE_MS = 900_000

/** A WebSocket whose client is this test, and a clock that it moves. */
function openSocket(t: Test, type: 'user' | 'api_key' = 'user') {
  let nowMs = 0
  t.intercept(performance, 'now', { value: () => nowMs })
  let pings = 0
  const closed: number[] = []
  const ws = Object.assign(new EventEmitter(), {
    bufferedAmount: 0,
    send: () => {},
    ping: () => void pings++,
    close: (code: number) => void closed.push(code),
    terminate: () => {},
  })
  const principal = { actor: { type }, isLive: () => true }
  const parts = { principal, caller: {} } as unknown as ConstructorParameters<typeof LiveSocket>[1]
  const socket = new LiveSocket(ws as unknown as WebSocket, parts, { topics: new Map(), participations: new Map() })
  return {
    ws,
    closed,
    pings: () => pings,
    at(ms: number) {
      nowMs = ms
      socket.checkConnection()
    },
  }
}

t.test('a client that does not answer a ping until the next is closed as silent', async t => {
  const { at, ws, pings, closed } = openSocket(t)
  at(HEARTBEAT_MS)
  t.equal(pings(), 1)
  ws.emit('pong')
  at(2 * HEARTBEAT_MS)
  t.same([pings(), closed], [2, []])
  at(3 * HEARTBEAT_MS)
  t.same(closed, [CLOSE.silent.code])
})

t.test('a socket of a user is renewed after 15 minutes, one of a key is not', async t => {
  for (const [type, codes] of [
    ['user', [CLOSE.renew.code]],
    ['api_key', []],
  ] as const) {
    const { at, ws, closed } = openSocket(t, type)
    for (let ms = HEARTBEAT_MS; ms <= MAX_AGE_MS; ms += HEARTBEAT_MS) {
      at(ms)
      ws.emit('pong')
    }
    t.same(closed, [])
    at(MAX_AGE_MS + 1)
    t.same(closed, codes, type)
  }
})
