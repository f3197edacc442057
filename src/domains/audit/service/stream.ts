import type { Readable } from 'node:stream'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { feedCursors } from '../queries.ts'
import type { LiveFeed, Page } from './feed.ts'

/** A stream of what comes behind `cursor`, or from now on. Throws `cursor_invalid`, `cursor_mismatch`, and as streams do. */
export async function openStream(
  app: FastifyInstance,
  feed: LiveFeed,
  { request, reply, cursor }: { request: FastifyRequest; reply: FastifyReply; cursor: string | undefined },
): Promise<Readable> {
  const { organizationId } = request
  const place = await feed.placeAt(organizationId, cursor)
  const stream = app.streams.open(request, reply)
  // An id without data is remembered and is no event: who is cut off before the first one misses nothing either.
  stream.send(`id: ${feedCursors(organizationId).cursorOf(place)}\n\n`)
  const leave = feed.follow(organizationId, place, {
    get isReady() {
      return stream.isReady
    },
    async take(page) {
      if (!(await stream.hasAccess())) return false
      stream.send(page.shared('stream', () => blocksOf(page)))
      return true
    },
  })
  stream.onClose(leave)
  return stream.body
}

const blocksOf = ({ events }: Page): Buffer =>
  Buffer.from(
    events.map(({ event, cursor, json }) => `id: ${cursor}\nevent: ${event.type}\ndata: ${json}\n\n`).join(''),
  )
