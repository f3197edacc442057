import type pg from 'pg'
import { parse } from 'pg-connection-string'

const HOSTS = /^(\w+:\/\/(?:[^@/?]*@)?)([^/?]*)(.*)$/
/** Servers report this for each session, and again when a standby is promoted (PostgreSQL 14 and newer). */
const STANDBY = 'in_hot_standby'

interface Server {
  host: string
  port: number
}
/** Members of the driver's client that its published types lack, or do not let be set. */
interface Settable {
  host: string
  port: number
  connection: NodeJS.EventEmitter
}

/**
 * Returns one URL for each host of a URL that names several, as libpq does: `host1:port1,host2:port2`. The driver knows
 * neither them nor `target_session_attrs` (PostgreSQL documentation, 34.1.1.3).
 */
export function urlsOf(url: string): string[] {
  const [, before = '', hosts = '', after = ''] = HOSTS.exec(url) ?? []
  if (!hosts.includes(',')) return [url]
  const rest = after.replace(/([?&])target_session_attrs=[^&]*&?/, '$1').replace(/[?&]$/, '')
  return hosts.split(',').map(host => before + host + rest)
}

/**
 * The servers of `DATABASE_URL`, of which one at a time can be written to. Connections go to the one that worked last;
 * where an attempt fails, or only finds a standby, the next attempt goes to the next server.
 */
export class Servers {
  readonly #servers: Server[]
  #current = 0

  constructor(url: string) {
    this.#servers = urlsOf(url).map(one => {
      const { host, port } = parse(one)
      return { host: host ?? '', port: Number(port || 5432) }
    })
  }

  /** The number of attempts after which each server was asked. */
  get count(): number {
    return this.#servers.length
  }

  /** Connects a client that `make` returns to the first server that can be written to. */
  async open(make: () => pg.Client): Promise<pg.Client> {
    for (let attempt = 1; ; attempt++) {
      const client = make()
      try {
        await this.connect(client, () => client.connect())
        return client
      } catch (error) {
        if (attempt >= this.count) throw error
      }
    }
  }

  /** Runs `connect` of `client` on the current server. Throws when it is a standby, where there are several servers. */
  async connect<T>(client: pg.Client, connect: () => Promise<T>): Promise<T> {
    if (this.count === 1) return connect()
    const at = this.#current
    const settable = client as unknown as Settable
    Object.assign(settable, this.#servers[at])
    let standby = false
    settable.connection.on('parameterStatus', ({ parameterName, parameterValue }) => {
      if (parameterName === STANDBY) standby = parameterValue === 'on'
    })
    try {
      const connected = await connect()
      if (!standby) return connected
      client.end().catch(() => {})
      throw new Error(`Connection terminated: ${settable.host}:${settable.port} is a standby`)
    } catch (error) {
      if (this.#current === at) this.#current = (at + 1) % this.count
      throw error
    }
  }
}
