import { getHeapStatistics } from 'node:v8'
import type { FastifyInstance, FastifyReply } from 'fastify'
import fp from 'fastify-plugin'

declare module 'fastify' {
  interface FastifyInstance {
    /** Says that the bytes of a file go through the process until the connection of `reply` has sent its answer. */
    transfers(reply: FastifyReply): void
  }
}

const LOOK_MS = 20
const MAX_GROWTH_BYTES = 16_000_000

/**
 * Frees the buffers of streamed files while they are young. V8 collects the whole heap, some 30 ms, each time when 64 MB of
 * buffers have been made, dead or alive; a collection of the young generation takes 1 ms and frees nearly all of them.
 * Looks only while files are on their way: all the time would cost 5 % of the reads.
 * Needs `--expose-gc`, which the launcher sets. `npm run bench:files` shows what it is worth.
 */
async function buffers(app: FastifyInstance) {
  const collect = globalThis.gc
  let least = 0
  const look = () => {
    const { external_memory: bytes } = getHeapStatistics()
    least = Math.min(least, bytes)
    if (bytes - least < MAX_GROWTH_BYTES) return
    collect?.({ type: 'minor' })
    least = getHeapStatistics().external_memory
  }

  let running = 0
  let looking: NodeJS.Timeout | undefined
  app.decorate('transfers', (reply: FastifyReply) => {
    if (running++ === 0) looking = setInterval(look, LOOK_MS).unref()
    reply.raw.once('close', () => {
      if (--running === 0) clearInterval(looking)
    })
  })
}

export const buffersPlugin = fp(buffers, { name: 'buffers' })
