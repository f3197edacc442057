import { once } from 'node:events'
import { connect, createServer, type Server, type Socket } from 'node:net'
import type { Test } from 'tap'

/** The type, then the length of itself and the rest (PostgreSQL's message format). */
const HEADER_BYTES = 5
const COMMAND_COMPLETE = 'C'.charCodeAt(0)
const READY = Buffer.from('5a0000000549', 'hex')
/** ErrorResponse: FATAL 57P01, admin_shutdown. */
const SHUTDOWN = Buffer.from('E\0\0\0\x1dSFATAL\0VFATAL\0C57P01\0M.\0\0', 'latin1')
const COMMIT_QUERY = Buffer.from('commit\0')

const never = () => false

/** A proxy between the server under test and PostgreSQL. */
export class PostgresProxy {
  /** The number of connections opened so far. */
  connections = 0
  /** The number of connections cut so far. */
  cut = 0
  /** Whether to cut the connection instead of passing on the answer to a successful `COMMIT`. */
  cutsAnswer = never
  /** Whether to cut the connection instead of passing on a `COMMIT`, so the transaction is rolled back. */
  cutsCommit = never
  /** Called with what a client sends, before it is passed on. */
  onQuery: (chunk: Buffer) => void = () => {}
  /** Whether to end a new connection as soon as it is ready, like a server that shuts down. */
  endsNew = never
  #database: URL
  readonly #server: Server
  readonly #sockets = new Set<Socket>()
  #waiting: Socket[] | undefined
  #refuses = false

  constructor(databaseUrl: string) {
    this.#database = new URL(databaseUrl)
    this.#server = createServer(near => this.#accept(near))
  }

  async open(): Promise<void> {
    this.#server.listen(0, '127.0.0.1')
    await once(this.#server, 'listening')
  }

  /** The URL of the database through the proxy. */
  get url(): string {
    const url = new URL(this.#database)
    url.host = `127.0.0.1:${(this.#server.address() as { port: number }).port}`
    return url.href
  }

  /** Passes on nothing and closes nothing, like a lost network, until the returned function is called. */
  hold(): () => void {
    const waiting: Socket[] = []
    this.#waiting = waiting
    for (const socket of this.#sockets) socket.pause()
    return () => {
      this.#waiting = undefined
      for (const socket of this.#sockets) socket.resume()
      for (const near of waiting) this.#join(near)
    }
  }

  /** Closes new connections at once, until the returned function is called. */
  refuse(): () => void {
    this.#refuses = true
    for (const socket of this.#sockets) socket.destroy()
    return () => {
      this.#refuses = false
    }
  }

  /** Switches to another server and cuts existing connections. */
  moveTo(databaseUrl: string): void {
    this.#database = new URL(databaseUrl)
    for (const socket of this.#sockets) socket.destroy()
  }

  close(): void {
    this.#server.close()
    for (const socket of this.#sockets) socket.destroy()
  }

  #accept(near: Socket): void {
    this.connections++
    this.#follow(near)
    if (this.#refuses) near.destroy()
    else if (this.#waiting) this.#waiting.push(near)
    else this.#join(near)
  }

  #join(near: Socket): void {
    if (near.destroyed) return
    const far = connect(Number(this.#database.port || 5432), this.#database.hostname)
    this.#follow(far)
    near.on('close', () => far.destroy())
    far.on('close', () => near.destroy())
    if (this.endsNew()) endWhenReady(near, far)
    else this.#pass(near, far)
  }

  #pass(near: Socket, far: Socket): void {
    const committed = commitFinder()
    const pass = (from: Socket, to: Socket, cuts: (chunk: Buffer) => boolean) => {
      from.on('end', () => to.end())
      from.on('data', chunk => {
        if (!cuts(chunk)) return void to.write(chunk)
        this.cut++
        near.resetAndDestroy()
      })
    }
    near.on('data', chunk => this.onQuery(chunk))
    pass(near, far, chunk => chunk.includes(COMMIT_QUERY) && this.cutsCommit())
    pass(far, near, chunk => committed(chunk) && this.cutsAnswer())
  }

  #follow(socket: Socket): void {
    this.#sockets.add(socket.setNoDelay())
    socket.on('error', () => {})
    socket.on('close', () => this.#sockets.delete(socket))
  }
}

export async function startProxy(t: Test, databaseUrl: string): Promise<PostgresProxy> {
  const proxy = new PostgresProxy(databaseUrl)
  await proxy.open()
  t.teardown(() => proxy.close())
  return proxy
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
