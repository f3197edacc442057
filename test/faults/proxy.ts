import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import type { Test } from 'tap'

/** Type, then the length of itself and the rest (PostgreSQL's message format). */
const HEADER_BYTES = 5
const COMMAND_COMPLETE = 'C'.charCodeAt(0)

export interface Proxy {
  /** The database by way of the proxy. */
  url: string
  /** Opened so far. */
  readonly connections: number
  /** Cuts the connection in place of passing on a `COMMIT` that succeeded, when `decide` says so. */
  cutCommits(decide: () => boolean): void
  /** Commits whose answer was lost. */
  readonly cut: number
}

/** Stands between the server under test and PostgreSQL. */
export async function startProxy(t: Test, databaseUrl: string): Promise<Proxy> {
  const { hostname, port } = new URL(databaseUrl)
  const sockets = new Set<Socket>()
  let connections = 0
  let cut = 0
  let decide = () => false

  const server = createServer(near => {
    connections++
    const far = connect(Number(port || 5432), hostname)
    for (const [socket, other] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(socket.setNoDelay())
      socket.on('error', () => {})
      socket.on('close', () => {
        sockets.delete(socket)
        other.destroy()
      })
    }
    near.pipe(far)
    const committed = commitFinder()
    far.on('data', chunk => {
      if (!committed(chunk) || !decide()) return void near.write(chunk)
      cut++
      near.resetAndDestroy()
    })
    far.on('end', () => near.end())
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    server.close()
    for (const socket of sockets) socket.destroy()
  })

  const url = new URL(databaseUrl)
  url.host = `127.0.0.1:${(server.address() as { port: number }).port}`
  return {
    url: url.href,
    get connections() {
      return connections
    },
    get cut() {
      return cut
    },
    cutCommits(choose) {
      decide = choose
    },
  }
}

/** Follows the server's messages across chunks; true when the chunk completes a `COMMIT`. */
function commitFinder(): (chunk: Buffer) => boolean {
  let rest: Buffer = Buffer.alloc(0)
  return chunk => {
    let found = false
    rest = rest.length > 0 ? Buffer.concat([rest, chunk]) : chunk
    while (rest.length >= HEADER_BYTES) {
      const size = 1 + rest.readUInt32BE(1)
      if (rest.length < size) break
      if (rest[0] === COMMAND_COMPLETE && rest.toString('latin1', HEADER_BYTES, size - 1) === 'COMMIT') found = true
      rest = rest.subarray(size)
    }
    return found
  }
}
