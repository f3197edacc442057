import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import type { Test } from 'tap'

/** Type, then the length of itself and the rest (PostgreSQL's message format). */
const HEADER_BYTES = 5
const COMMAND_COMPLETE = 'C'.charCodeAt(0)
const READY = Buffer.from('5a0000000549', 'hex')
/** ErrorResponse: FATAL 57P01, admin_shutdown. */
const SHUTDOWN = Buffer.from('E\0\0\0\x1dSFATAL\0VFATAL\0C57P01\0M.\0\0', 'latin1')
const COMMIT_QUERY = Buffer.from('commit\0')

export interface Proxy {
  /** The database by way of the proxy. */
  url: string
  /** Opened so far. */
  readonly connections: number
  /** Cuts the connection in place of passing on a `COMMIT` that succeeded, when `decide` says so. */
  cutAnswers(decide: () => boolean): void
  /** Cuts the connection in place of passing on a request to commit, when `decide` says so: the work is rolled back. */
  cutCommits(decide: () => boolean): void
  /** Ends a connection in the moment in which it is ready, as a server does that is told to stop, when `decide` says so. */
  endNew(decide: () => boolean): void
  /** Connections cut so far. */
  readonly cut: number
}

/** Stands between the server under test and PostgreSQL. */
export async function startProxy(t: Test, databaseUrl: string): Promise<Proxy> {
  const { hostname, port } = new URL(databaseUrl)
  const sockets = new Set<Socket>()
  let connections = 0
  let cut = 0
  const never = () => false
  let cutsAnswer = never
  let cutsCommit = never
  let endsNew = never

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
    if (endsNew()) return endWhenReady(near, far)
    const committed = commitFinder()
    const pass = (from: Socket, to: Socket, cuts: (chunk: Buffer) => boolean) => {
      from.on('end', () => to.end())
      from.on('data', chunk => {
        if (!cuts(chunk)) return void to.write(chunk)
        cut++
        near.resetAndDestroy()
      })
    }
    pass(near, far, chunk => chunk.includes(COMMIT_QUERY) && cutsCommit())
    pass(far, near, chunk => committed(chunk) && cutsAnswer())
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
    cutAnswers(decide) {
      cutsAnswer = decide
    },
    endNew(decide) {
      endsNew = decide
    },
    cutCommits(decide) {
      cutsCommit = decide
    },
  }
}

function endWhenReady(near: Socket, far: Socket): void {
  near.pipe(far)
  far.on('data', chunk => {
    if (chunk.includes(READY)) near.end(Buffer.concat([chunk, SHUTDOWN]))
    else near.write(chunk)
  })
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
