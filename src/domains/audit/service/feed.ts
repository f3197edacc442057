import { setTimeout as sleep } from 'node:timers/promises'
import fastJsonStringify from 'fast-json-stringify'
import type { FastifyInstance } from 'fastify'
import { RECORDED } from '../../../events/record.ts'
import { memoize } from '../../../lib/memo.ts'
import { feedCursors, findFeedEnd, listAfter, type Place } from '../queries/events.ts'
import { Event } from '../schemas.ts'

/** The interval of polling, and so the longest delay after an event is settled. A hint makes it shorter. */
const POLL_MS = 250
/** The least pause before a hint is followed. It is also as long as the last reading, which so takes half of the time at most. */
const PAUSE_MS = 20
/** The pause before more pages are read for readers that are behind: time to write the last page to the socket. */
const CATCH_UP_MS = 1
/** Rows of each place, and places of one statement: they bound the memory of a statement for any number of readers. */
const ROWS = 20
const PLACES = 32
/** The size of a page. Nothing more is buffered for a reader: the next page is read when this one has left. */
const PAGE_CHARACTERS = 131_072

type Row = Awaited<ReturnType<typeof listAfter>>[number]

/** An event with its cursor and its JSON, which all readers share. */
export interface FeedEvent {
  event: Event
  cursor: string
  json: string
}

/** Consecutive events of a feed. */
export class Page {
  readonly events: readonly FeedEvent[]
  /** Runs once for all readers of the page that use the same key. */
  readonly shared = memoize()

  constructor(events: readonly FeedEvent[]) {
    this.events = events
  }
}

/** Receives the events after a place in a feed. */
export interface Reader {
  /** Whether everything that was sent has left this process. */
  readonly isReady: boolean
  /**
   * Sends a page if the reader has access now; returns whether it was sent. Access is checked after the page was read, so
   * events that happened after access ended are never sent.
   */
  send(page: Page): Promise<boolean>
}

interface Follower {
  reader: Reader
  organizationId: string
  place: Place
}

const stringify = fastJsonStringify(Event as object)
const keyOf = ({ organizationId, place: { position, seq } }: Follower): string => `${organizationId} ${position} ${seq}`

/**
 * Polls the feeds for all streams and sockets of this process together. Each reader has its own place, so catching up
 * needs no code of its own. Readers at the same place share the rows.
 */
export class LiveFeed {
  readonly #app: FastifyInstance
  readonly #followers = new Set<Follower>()
  #isPolling = false
  #isFailing = false
  #hinted = new AbortController()

  constructor(app: FastifyInstance) {
    this.#app = app
    app.database.onCommitted(RECORDED, () => this.#hint())
    app.signals.on(RECORDED, () => this.#hint())
  }

  /** Returns the place of `cursor`, or the end of the feed. Throws `cursor_invalid`, `cursor_mismatch`. */
  async placeAt(organizationId: string, cursor: string | undefined): Promise<Place> {
    if (cursor !== undefined) return feedCursors(organizationId).placeOf(cursor)
    return (await findFeedEnd(this.#app.database, {})) as Place
  }

  /** Sends the events after `place` to `reader`, until the returned function is called. */
  follow(organizationId: string, place: Place, reader: Reader): () => void {
    const follower = { reader, organizationId, place }
    this.#followers.add(follower)
    if (!this.#isPolling) void this.#poll()
    return () => void this.#followers.delete(follower)
  }

  #hint(): void {
    // Every write comes here, and `abort` makes an error with its stack each time.
    if (!this.#hinted.signal.aborted) this.#hinted.abort()
  }

  async #poll(): Promise<void> {
    this.#isPolling = true
    while (this.#followers.size > 0) {
      const started = performance.now()
      const next = started + POLL_MS
      // A hint from here on starts another reading after this one.
      this.#hinted = new AbortController()
      let behind = await this.#readNext(this.#followers)
      while (behind.length > 0 && performance.now() < next) {
        await sleep(CATCH_UP_MS, undefined, { ref: false })
        behind = await this.#readNext(behind)
      }
      const left = () => Math.max(0, next - performance.now())
      const pause = Math.max(PAUSE_MS, performance.now() - started)
      await sleep(Math.min(left(), pause), undefined, { ref: false })
      await sleep(left(), undefined, { signal: this.#hinted.signal, ref: false }).catch(() => {})
    }
    this.#isPolling = false
  }

  /** Sends a page to each reader that is ready; returns those that may have more events. */
  async #readNext(followers: Iterable<Follower>): Promise<Follower[]> {
    const ready = [...followers].filter(follower => follower.reader.isReady && this.#followers.has(follower))
    const places = [...Map.groupBy(ready, keyOf).values()]
    const behind: Follower[] = []
    try {
      while (places.length > 0) behind.push(...(await this.#readPages(places.splice(0, PLACES))))
      this.#isFailing = false
      return behind
    } catch (error) {
      if (!this.#isFailing)
        this.#app.log.warn({ err: error }, 'events for streams and sockets cannot be read; reading is repeated')
      this.#isFailing = true
      return []
    }
  }

  async #readPages(places: Follower[][]): Promise<Follower[]> {
    const starts = places.map((at, n) => ({ n, organizationId: at[0]?.organizationId, ...at[0]?.place }))
    const rows = await listAfter(this.#app.database, { places: JSON.stringify(starts), rows: ROWS })
    const pages = [...Map.groupBy(rows, ({ n }) => n)]
    const behind = await Promise.all(pages.map(([n, page]) => sendPage(places[n] as Follower[], page)))
    return behind.flat()
  }
}

/** Sends the rows to readers at one place; returns the readers if they may have more events. */
async function sendPage(followers: Follower[], rows: Row[]): Promise<Follower[]> {
  const page = new Page(takePage(rows))
  const { position, seq } = rows[page.events.length - 1] as Row
  await Promise.all(
    followers.map(async follower => {
      if (await follower.reader.send(page)) follower.place = { position, seq }
    }),
  )
  return page.events.length < rows.length || rows.length === ROWS ? followers : []
}

/** Returns the first events, at least one, up to the size of a page. */
function takePage(rows: Row[]): FeedEvent[] {
  const { cursorOf } = feedCursors(rows[0]?.organizationId as string)
  const events: FeedEvent[] = []
  let characters = 0
  for (const row of rows) {
    if (characters > PAGE_CHARACTERS) break
    const json = stringify(row)
    characters += json.length
    events.push({ event: row, cursor: cursorOf(row), json })
  }
  return events
}
