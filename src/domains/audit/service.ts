import type { Readable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import fastJsonStringify from 'fast-json-stringify'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { feedCursors, findFeedEnd, listAfter, type Place } from './queries.ts'
import { Event } from './schemas.ts'

/**
 * The interval of reading. An event is sent at most this long after its commit, plus the time of transactions that
 * began before it.
 */
const POLL_MS = 250
/** How long to wait before reading again; a client that keeps up has received its data by then. */
const TAKE_MS = 1
/**
 * Limits of one statement, so that memory stays bounded however many streams catch up. A stream that is behind does not
 * wait for the next interval.
 */
const ROWS = 20
const PLACES = 32
/** The most that is sent to a stream at once. The rest is read again later, so nothing is buffered here. */
const SEND_CHARACTERS = 131_072

type Stream = ReturnType<FastifyInstance['streams']['open']>
type Row = Awaited<ReturnType<typeof listAfter>>[number]

interface Follower {
  stream: Stream
  organizationId: string
  place: Place
}

const stringify = fastJsonStringify(Event as object)
const keyOf = ({ organizationId, place: { position, seq } }: Follower): string => `${organizationId} ${position} ${seq}`

/**
 * Reads new events for all open streams of this process together. Each stream has its own place in the feed, so
 * catching up and following live are the same code; streams at one place share what is read.
 */
export class LiveFeed {
  readonly #app: FastifyInstance
  readonly #followers = new Set<Follower>()
  #following = false
  #failing = false

  constructor(app: FastifyInstance) {
    this.#app = app
  }

  /**
   * Opens a stream of the events after `cursor`, or from now on. Throws `cursor_invalid`, `cursor_mismatch`, and as
   * `streams.open`.
   */
  async open(request: FastifyRequest, reply: FastifyReply, cursor: string | undefined): Promise<Readable> {
    const { organizationId } = request
    const { placeOf, cursorOf } = feedCursors(organizationId)
    const place = cursor === undefined ? ((await findFeedEnd(this.#app.database, {})) as Place) : placeOf(cursor)
    const stream = this.#app.streams.open(request, reply)
    // A client remembers an id without data but sees no event: if it is cut off before the first event, it still
    // resumes from here.
    stream.send(`id: ${cursorOf(place)}\n\n`)
    const follower = { stream, organizationId, place }
    this.#followers.add(follower)
    stream.onClose(() => this.#followers.delete(follower))
    if (!this.#following) void this.#follow()
    return stream.body
  }

  async #follow(): Promise<void> {
    this.#following = true
    while (this.#followers.size > 0) {
      const next = performance.now() + POLL_MS
      let behind = await this.#readOn(this.#followers)
      while (behind.length > 0 && performance.now() < next) {
        await sleep(TAKE_MS, undefined, { ref: false })
        behind = await this.#readOn(behind)
      }
      await sleep(Math.max(0, next - performance.now()), undefined, { ref: false })
    }
    this.#following = false
  }

  /** Reads and sends the next events. Returns the followers that may have more to read at once. */
  async #readOn(followers: Iterable<Follower>): Promise<Follower[]> {
    const ready = [...followers].filter(({ stream }) => stream.isReady)
    const places = [...Map.groupBy(ready, keyOf).values()]
    const behind: Follower[] = []
    try {
      while (places.length > 0) behind.push(...(await this.#hand(places.splice(0, PLACES))))
      this.#failing = false
      return behind
    } catch (error) {
      if (!this.#failing) this.#app.log.warn({ err: error }, 'events cannot be read for streams, will repeat')
      this.#failing = true
      return []
    }
  }

  async #hand(places: Follower[][]): Promise<Follower[]> {
    const asked = places.map((at, n) => ({ n, organizationId: at[0]?.organizationId, ...at[0]?.place }))
    const rows = await listAfter(this.#app.database, { places: JSON.stringify(asked), rows: ROWS })
    const pages = [...Map.groupBy(rows, ({ n }) => n)]
    const handed = await Promise.all(pages.map(([n, page]) => send(places[n] as Follower[], page)))
    return handed.flat()
  }
}

/**
 * Sends a page to the followers at one place. Access is checked after the events were read, so a follower never
 * receives an event from after the end of its access. Returns the followers that may have more to read.
 */
async function send(followers: Follower[], page: Row[]): Promise<Follower[]> {
  const { bytes, sent } = written(page)
  const { position, seq } = page[sent - 1] as Row
  await Promise.all(
    followers.map(async follower => {
      if (!(await follower.stream.hasAccess())) return
      follower.stream.send(bytes)
      follower.place = { position, seq }
    }),
  )
  return sent < page.length || page.length === ROWS ? followers : []
}

/** Formats as many events as are sent at once, at least one, in a buffer that all followers share. */
function written(page: Row[]): { bytes: Buffer; sent: number } {
  const { cursorOf } = feedCursors(page[0]?.organizationId as string)
  let text = ''
  let sent = 0
  for (const row of page) {
    if (text.length > SEND_CHARACTERS) break
    text += `id: ${cursorOf(row)}\nevent: ${row.type}\ndata: ${stringify(row)}\n\n`
    sent++
  }
  return { bytes: Buffer.from(text), sent }
}
