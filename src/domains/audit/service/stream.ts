import type { Readable } from 'node:stream'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { feedCursors } from '../queries/events.ts'
import type { LiveFeed, Page } from './feed.ts'
import { isExpired } from './retention.ts'

/** An `EventSource` cannot read a problem: it is told to read the current state again, and the stream begins at the end of the feed. */
const RESYNC = 'event: resync\ndata: {"reason":"cursor_expired"}\n'

/**
 * Opens a stream of the events after `cursor`, or from now on. Throws `cursor_invalid`, `cursor_mismatch` and the errors
 * of streams.
 */
export async function openStream(
  app: FastifyInstance,
  feed: LiveFeed,
  { request, reply, cursor }: { request: FastifyRequest; reply: FastifyReply; cursor: string | undefined },
): Promise<Readable> {
  const { organizationId } = request
  const asked = await feed.placeAt(organizationId, cursor)
  const expired = await isExpired(app.database, asked)
  const place = expired ? await feed.placeAt(organizationId, undefined) : asked
  const stream = app.streams.open(request, reply)
  // A client stores an id without data and dispatches no event: it can resume even if it is cut off before the first event.
  stream.send(`id: ${feedCursors(organizationId).cursorOf(place)}\n${expired ? RESYNC : ''}\n`)
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
