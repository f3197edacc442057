import type { Readable } from 'node:stream'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { feedCursors } from '../queries.ts'
import type { LiveFeed, Page } from './feed.ts'

/** Opens a stream of the events after `cursor`, or from now on. Throws `cursor_invalid`, `cursor_mismatch` and the errors of streams. */
export async function openStream(
  app: FastifyInstance,
  feed: LiveFeed,
  { request, reply, cursor }: { request: FastifyRequest; reply: FastifyReply; cursor: string | undefined },
): Promise<Readable> {
  const { organizationId } = request
  const place = await feed.placeAt(organizationId, cursor)
  const stream = app.streams.open(request, reply)
  // A client stores an id without data and dispatches no event: it can resume even if it is cut off before the first event.
  stream.send(`id: ${feedCursors(organizationId).cursorOf(place)}\n\n`)
  const unfollow = feed.follow(organizationId, place, {
    get isReady() {
      return stream.isReady
    },
    async send(page) {
      if (!(await stream.hasAccess())) return false
      stream.send(page.shared('stream', () => blocksOf(page)))
      return true
    },
  })
  stream.onClose(unfollow)
  return stream.body
}

const blocksOf = ({ events }: Page): Buffer =>
  Buffer.from(
    events.map(({ event, cursor, json }) => `id: ${cursor}\nevent: ${event.type}\ndata: ${json}\n\n`).join(''),
  )
