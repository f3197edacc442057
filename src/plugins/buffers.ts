import { getHeapStatistics } from 'node:v8'
import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'

const LOOK_MS = 20
const MAX_GROWTH_BYTES = 16_000_000

/**
 * Frees the buffers of streamed files while they are young. V8 collects the whole heap, some 30 ms, each time when 64 MB of
 * buffers have been made, dead or alive; a collection of the young generation takes 1 ms and frees nearly all of them.
 * Needs `--expose-gc`, which the launcher sets. `npm run bench:files` shows what it is worth.
 */
async function buffers(app: FastifyInstance) {
  const collect = globalThis.gc
  if (!collect) return
  let least = 0
  const look = setInterval(() => {
    const { external_memory: bytes } = getHeapStatistics()
    least = Math.min(least, bytes)
    if (bytes - least < MAX_GROWTH_BYTES) return
    collect({ type: 'minor' })
    least = getHeapStatistics().external_memory
  }, LOOK_MS).unref()
  app.addHook('onClose', async () => clearInterval(look))
}

export const buffersPlugin = fp(buffers, { name: 'buffers' })
