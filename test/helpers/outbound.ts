import { createServer, type Server, type Socket } from 'node:net'
import { AllowList } from '../../src/lib/allow-list.ts'
import { guardedAgent } from '../../src/plugins/outbound/agent.ts'
import { OutboundClient } from '../../src/plugins/outbound/client.ts'
import type { Dialer } from '../../src/plugins/outbound/connector.ts'
import type { OutboundRequest } from '../../src/plugins/outbound/messages.ts'
import type { Resolve } from '../../src/plugins/outbound/resolve.ts'

interface Test {
  teardown(done: () => unknown): void
}

interface Setting {
  allow?: string[]
  ports?: number[]
  http?: boolean
  resolve?: Resolve
  open?: Dialer
  observers?: ConstructorParameters<typeof OutboundClient>[2]
}

const nobody: Resolve = async () => {
  throw new Error('no test asks a name server')
}

/** Creates an outbound client; by default it may send to no listener on this machine. */
export function outboundClient(t: Test, setting: Setting = {}): OutboundClient {
  const { allow = [], ports = [443], http = false, resolve = nobody, open, observers } = setting
  const list = new AllowList(allow)
  const client = new OutboundClient(
    { allow: list, ports, http },
    async () => guardedAgent(list, resolve, { open }),
    observers,
  )
  t.teardown(() => client.close())
  return client
}

/** Returns a POST with a timeout of 5 s that reads at most 64 KiB. */
export const post = (url: string, more: Partial<OutboundRequest> = {}): OutboundRequest => ({
  target: 'test',
  url,
  method: 'POST',
  body: '{}',
  timeoutMs: 5_000,
  maxBytes: 65_536,
  ...more,
})

export interface Listener {
  port: number
  /** Returns the number of connections so far. */
  connections(): number
  /** The URL with the port on 127.0.0.1. */
  url: string
}

/** Starts a TCP server on loopback that passes each connection to `serve`. */
export async function listener(
  t: Test,
  serve: (socket: Socket) => void = () => {},
  host = '127.0.0.1',
): Promise<Listener> {
  const sockets = new Set<Socket>()
  let seen = 0
  const server: Server = createServer(socket => {
    seen += 1
    sockets.add(socket)
    socket.on('error', () => {})
    socket.on('close', () => sockets.delete(socket))
    serve(socket)
  })
  await new Promise<void>(resolve => server.listen(0, host, resolve))
  t.teardown(() => {
    for (const socket of sockets) socket.destroy()
    return new Promise(resolve => server.close(resolve))
  })
  const { port } = server.address() as { port: number }
  return { port, connections: () => seen, url: `http://127.0.0.1:${port}/` }
}

/** Calls `answer` when the whole request has arrived, headers and body. */
export const onRequest =
  (answer: (socket: Socket, request: string) => void) =>
  (socket: Socket): void => {
    let received = ''
    socket.on('data', chunk => {
      received += chunk.toString('latin1')
      const [head = '', body] = received.split('\r\n\r\n', 2)
      const length = Number(/content-length: (\d+)/i.exec(head)?.[1] ?? 0)
      if (body === undefined || body.length < length) return
      const request = received
      received = ''
      answer(socket, request)
    })
  }
