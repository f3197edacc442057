import { setTimeout as sleep } from 'node:timers/promises'
import fastJsonStringify from 'fast-json-stringify'
import type { FastifyInstance } from 'fastify'
import { feedCursors, findFeedEnd, listAfter, type Place } from '../queries.ts'
import { Event } from '../schemas.ts'

/** How late an event may be behind its commit, besides the transactions that began before it. */
const POLL_MS = 250
/** A reader that keeps up has taken what it was sent by then. */
const TAKE_MS = 1
/** Bound what one statement brings into memory, however many readers catch up. Who is behind does not wait for the next look. */
const ROWS = 20
const PLACES = 32
/** What a reader is sent at a time. The rest is read again when that has been taken: the log is the buffer. */
const SEND_CHARACTERS = 131_072

type Row = Awaited<ReturnType<typeof listAfter>>[number]

/** An event with its cursor, and the JSON of it that all its readers share. */
export interface Told {
  event: Event
  cursor: string
  json: string
}

/** Some events that follow each other in a feed. */
export class Page {
  readonly events: readonly Told[]
  readonly #shared = new Map<string, unknown>()

  constructor(events: readonly Told[]) {
    this.events = events
  }

  /** What `make` makes, once for all readers of the page that ask by the same key. */
  shared<T>(key: string, make: () => T): T {
    if (!this.#shared.has(key)) this.#shared.set(key, make())
    return this.#shared.get(key) as T
  }
}

/** Who is told what comes behind a place in a feed. */
export interface Reader {
  /** Whether it has taken all it was told. */
  readonly isReady: boolean
  /**
   * Tells it, if it is let in now: whoever is let in after the events were read was let in when they happened, so nobody is
   * told of what came after the end of their access. Whether it was told.
   */
  take(page: Page): Promise<boolean>
}

interface Follower {
  reader: Reader
  organizationId: string
  place: Place
}

const stringify = fastJsonStringify(Event as object)
const keyOf = ({ organizationId, place: { position, seq } }: Follower): string => `${organizationId} ${position} ${seq}`

/**
 * Reads the feeds on for the streams and sockets of this process, all in one look. Each has its own place in the feed, so
 * that catching up and being up to date are the same; those at one place share what is read.
 */
export class LiveFeed {
  readonly #app: FastifyInstance
  readonly #followers = new Set<Follower>()
  #following = false
  #failing = false

  constructor(app: FastifyInstance) {
    this.#app = app
  }

  /** Behind `cursor`, or the end of the feed. Throws `cursor_invalid`, `cursor_mismatch`. */
  async placeAt(organizationId: string, cursor: string | undefined): Promise<Place> {
    if (cursor !== undefined) return feedCursors(organizationId).placeOf(cursor)
    return (await findFeedEnd(this.#app.database, {})) as Place
  }

  /** Tells `reader` what comes behind `place`, until the function that is returned is called. */
  follow(organizationId: string, place: Place, reader: Reader): () => void {
    const follower = { reader, organizationId, place }
    this.#followers.add(follower)
    if (!this.#following) void this.#follow()
    return () => void this.#followers.delete(follower)
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

  /** Those for whom there may be more at once. */
  async #readOn(followers: Iterable<Follower>): Promise<Follower[]> {
    const ready = [...followers].filter(follower => follower.reader.isReady && this.#followers.has(follower))
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
    const handed = await Promise.all(pages.map(([n, page]) => tell(places[n] as Follower[], page)))
    return handed.flat()
  }
}

/** Those for whom there may be more. */
async function tell(followers: Follower[], rows: Row[]): Promise<Follower[]> {
  const page = new Page(told(rows))
  const { position, seq } = rows[page.events.length - 1] as Row
  await Promise.all(
    followers.map(async follower => {
      if (await follower.reader.take(page)) follower.place = { position, seq }
    }),
  )
  return page.events.length < rows.length || rows.length === ROWS ? followers : []
}

/** As many of the events as are sent at a time, at least one. */
function told(rows: Row[]): Told[] {
  const { cursorOf } = feedCursors(rows[0]?.organizationId as string)
  const events: Told[] = []
  let characters = 0
  for (const row of rows) {
    if (characters > SEND_CHARACTERS) break
    const json = stringify(row)
    characters += json.length
    events.push({ event: row, cursor: cursorOf(row), json })
  }
  return events
}
