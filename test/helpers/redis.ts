import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { Redis } from 'ioredis'
import { eventually } from './mail.ts'
import { freePort } from './ports.ts'

const SERVER = '/usr/bin/redis-server'
const POLL_MS = 20

/** Why tests with Redis are skipped, or false. */
export const withoutRedis = !existsSync(SERVER) && `no ${SERVER}`

/** A Redis for one test, which may stop, freeze and fill it. */
export class RedisServer {
  readonly url: string
  readonly #port: number
  #process: ReturnType<typeof spawn> | undefined

  private constructor(port: number) {
    this.#port = port
    this.url = `redis://127.0.0.1:${port}`
  }

  static async start(t: { teardown(done: () => Promise<void>): void }): Promise<RedisServer> {
    const server = new RedisServer(await freePort())
    t.teardown(() => server.stop())
    await server.start()
    return server
  }

  async start(): Promise<void> {
    const options = ['--port', String(this.#port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no']
    this.#process = spawn(SERVER, options, { stdio: 'ignore' })
    const client = new Redis(this.url, { retryStrategy: () => POLL_MS })
    client.on('error', () => {})
    await eventually(async () => client.status === 'ready', 'Redis accepts connections')
    client.disconnect()
  }

  /** Ends it as a crash does. */
  async stop(): Promise<void> {
    const running = this.#process
    this.#process = undefined
    if (!running) return
    const ended = once(running, 'exit')
    running.kill('SIGKILL')
    await ended
  }

  get pid(): number | undefined {
    return this.#process?.pid
  }

  freeze(): void {
    this.#process?.kill('SIGSTOP')
  }

  thaw(): void {
    this.#process?.kill('SIGCONT')
  }

  /** Refuses every command that needs memory, until the returned function is called. */
  async fill(): Promise<() => Promise<void>> {
    const limit = async (bytes: number) => {
      const client = new Redis(this.url)
      await client.config('SET', 'maxmemory', bytes)
      client.disconnect()
    }
    await limit(1)
    return () => limit(0)
  }
}
