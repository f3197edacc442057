import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { Test } from 'tap'
import { freePort } from '../helpers/ports.ts'
import { type Lintel, startLintel } from './lintel.ts'

const HAPROXY = '/usr/sbin/haproxy'
const CONFIGURATION = fileURLToPath(new URL('../../deploy/haproxy.cfg', import.meta.url))
/** Nodes that `deploy/haproxy.cfg` names. */
const PLACES = 3
const READY_BOUND_MS = 30_000
const POLL_MS = 50
/** After this time the balancer knows that a node is up, or down; `deploy/haproxy.cfg` asks for it. */
const SEEN_MS = 3_000

/** Why tests behind a balancer are skipped, or false. */
export const withoutBalancer = !existsSync(HAPROXY) && `no ${HAPROXY}`

interface Options {
  databaseUrl: string
  env?: Record<string, string>
}

/** Processes of Lintel behind HAProxy with `deploy/haproxy.cfg`. */
export class Fleet {
  readonly #nodes: Lintel[]
  readonly #start: (port: number) => Promise<Lintel>
  readonly base: string

  private constructor(nodes: Lintel[], start: (port: number) => Promise<Lintel>, base: string) {
    this.#nodes = nodes
    this.#start = start
    this.base = base
  }

  /** Starts as many processes as `deploy/haproxy.cfg` names. */
  static async start(t: Test, { databaseUrl, env = {} }: Options): Promise<Fleet> {
    const behind = { DRAIN_DELAY_MS: String(SEEN_MS), TRUST_PROXY: '127.0.0.1/32', ...env }
    const start = (port: number) => startLintel(t, { databaseUrl, port, env: behind })
    const ports = await Promise.all(Array.from({ length: PLACES }, () => freePort()))
    const nodes = await Promise.all(ports.map(start))
    return new Fleet(nodes, start, await balance(t, ports))
  }

  /** Ends a node and starts another one in its place. Returns its exit code, or the signal that ended it. */
  async replace(place: number, signal: NodeJS.Signals): Promise<number | string> {
    const node = this.#nodes[place % this.#nodes.length] as Lintel
    const ended = await node.end(signal)
    this.#nodes[place % this.#nodes.length] = await this.#start(node.port)
    await sleep(SEEN_MS)
    return ended
  }
}

/** Starts HAProxy before nodes on these ports; a place of its configuration without a node is down. Returns its URL. */
export async function balance(t: Test, ports: number[]): Promise<string> {
  const [port, nobody] = [await freePort(), await freePort()]
  const places = Array.from({ length: PLACES }, (_, n) => [`NODE_${n + 1}`, `127.0.0.1:${ports[n] ?? nobody}`])
  const balancer = spawn(HAPROXY, ['-f', CONFIGURATION], {
    stdio: 'ignore',
    env: { BIND: `127.0.0.1:${port}`, ...Object.fromEntries(places) },
  })
  const ended = once(balancer, 'exit')
  t.teardown(async () => {
    balancer.kill('SIGKILL')
    await ended
  })
  const base = `http://127.0.0.1:${port}`
  for (let waitedMs = 0; waitedMs < READY_BOUND_MS; waitedMs += POLL_MS) {
    const answer = await fetch(`${base}/health/ready`).catch(() => undefined)
    await answer?.body?.cancel()
    if (answer?.ok) return base
    await sleep(POLL_MS)
  }
  throw new Error('the balancer passes nothing on')
}
