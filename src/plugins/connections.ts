import type { Socket } from 'node:net'
import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'

declare module 'fastify' {
  interface FastifyInstance {
    /** Open connections of clients, active or idle. */
    connections: ReadonlySet<Socket>
  }
}

async function connections(app: FastifyInstance) {
  const sockets = new Set<Socket>()
  app.decorate('connections', sockets)
  app.server.on('connection', (socket: Socket) => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
  })
}

export const connectionsPlugin = fp(connections, { name: 'connections' })
