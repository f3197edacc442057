import autocannon, { type Client } from 'autocannon'
import { quantile } from './statistics.ts'
import type { LoadRequest } from './works.ts'

// The load generator runs in its own process, so that its cost is not part of the server's.

export interface LoadOrder {
  url: string
  connections: number
  seconds: number
  requests: LoadRequest[]
}

/** `open` and `close` mark the measured window, which excludes the time for connecting. */
export type LoadMessage = 'open' | 'close' | LoadResult

export interface LoadResult {
  count: number
  seconds: number
  p50Ms: number
  p99Ms: number
  /** Errors, timeouts and responses other than 2xx, also before and after the window. */
  failed: number
}

const RAMP_MS = 400
const SAMPLE_MS = 100
const MIN_REQUESTS_EACH = 16

const tell = (message: LoadMessage) => process.send?.(message)

/** Each connection sends its own part of the requests, so that no two send the same at the same time. */
function deal({ requests, connections }: LoadOrder): (client: Client) => void {
  const each = Math.max(MIN_REQUESTS_EACH, Math.ceil(requests.length / connections))
  let next = 0
  return client => {
    const hand = Array.from({ length: each }, (_, at) => ({ ...requests[(next + at) % requests.length] }))
    next += each
    client.setRequests(hand)
  }
}

function measure(order: LoadOrder): void {
  const { url, connections, seconds } = order
  const times: number[] = []
  let opened = 0
  let closed = 0
  const onDone = (error: Error | null, result: { errors: number; timeouts: number; non2xx: number }) => {
    if (error) throw error
    times.sort((a, b) => a - b)
    tell({
      count: times.length,
      seconds: (closed - opened) / 1_000,
      p50Ms: quantile(times, 0.5),
      p99Ms: quantile(times, 0.99),
      failed: result.errors + result.non2xx,
    })
  }
  const duration = seconds + 2 * RAMP_MS
  const idReplacement = order.requests.some(({ headers }) => 'idempotency-key' in headers)
  const options = { url, connections, duration, sampleInt: SAMPLE_MS, setupClient: deal(order), idReplacement }
  const instance = autocannon(options, onDone)
  instance.on('response', (_client, _status, _bytes, milliseconds: number) => {
    if (opened && !closed) times.push(milliseconds)
  })
  setTimeout(() => {
    opened = performance.now()
    tell('open')
  }, RAMP_MS)
  setTimeout(
    () => {
      closed = performance.now()
      tell('close')
      instance.stop()
    },
    RAMP_MS + seconds * 1_000,
  )
}

process.on('message', measure)
