import type { Test } from 'tap'
import { Relay } from '../../src/events/relay.ts'
import { createOrganization, type TestOrganization } from '../helpers/actors.ts'
import type { TestApp } from '../helpers/app.ts'
import { type Answer, call } from '../helpers/call.ts'
import { EventStreamClient } from '../helpers/event-stream.ts'
import { createProject } from '../helpers/factories.ts'
import { eventually } from '../helpers/mail.ts'

const OLD = 39
const NEW = 7
const SUBSCRIBER = 'restored'
/**
 * The events that the subscriber received. They are ordered by time, because a sequence is not copied with the rows.
 */
export const HANDED = 'create table handed (at timestamptz default clock_timestamp(), target_id uuid)'

interface Event {
  target: { id: string }
}

const targetsOf = (body: { data: Event[] }): string[] => body.data.map(({ target }) => target.id)

/** The log of one organization and its readers: feed, stream, audit list and a subscriber of the relay. */
export class Readers {
  readonly #organization: TestOrganization
  readonly #projectId: string
  /** The targets of all events, in order. */
  written: string[] = []
  /** The places of the readers of the feed and of the stream. */
  #cursor = ''
  #lastEventId = ''
  /** Open since the first event. */
  readonly stream: EventStreamClient

  private constructor(organization: TestOrganization, projectId: string, stream: EventStreamClient) {
    this.#organization = organization
    this.#projectId = projectId
    this.stream = stream
  }

  /** Returns readers that have all read 39 events. */
  static async of(t: Test, test: TestApp, base: string): Promise<Readers> {
    await test.sql(HANDED)
    const organization = await createOrganization(test)
    const projectId = await createProject(test, { organizationId: organization.id })
    const stream = await open(t, base, organization)
    const readers = new Readers(organization, projectId, stream)
    const relay = follow(test)
    await eventually(async () => (await test.sql('select from event_cursors')).length > 0, 'the subscriber begins')
    await readers.write(test, OLD)
    await eventually(async () => (await handed(test)).length === OLD, 'the subscriber has all')
    await relay.stop()
    await readers.read(test)
    return readers
  }

  /** Writes events, one after another. */
  async write(test: TestApp, count: number): Promise<string[]> {
    for (let n = 0; n < count; n++) {
      const { status, text } = await this.attempt(test)
      if (status !== 201) throw new Error(text)
    }
    return this.written.slice(-count)
  }

  async attempt({ app }: TestApp): Promise<Answer> {
    const request = `POST /projects/${this.#projectId}/tasks`
    const answer = await call(app, request, { as: this.#organization.member, body: { title: 'Task' } })
    if (answer.status === 201) this.written.push(answer.body.id)
    return answer
  }

  /** Reads feed and stream to the end of what was written. */
  async read(test: TestApp): Promise<void> {
    await this.stream.has(this.written.length)
    this.#lastEventId = this.stream.lastEventId as string
    this.#cursor = (await this.#page(test, '')).meta.nextCursor
  }

  /** Checks that new events reach every reader once and in order, after those old events that are still `kept`. */
  async goOn(t: Test, test: TestApp, base: string, kept = this.written): Promise<void> {
    const old = [...kept]
    t.same(await this.feed(test), old, `the feed has ${old.length} old events`)
    const added = await this.write(test, NEW)
    const all = [...old, ...added]
    const stream = await open(t, base, this.#organization, this.#lastEventId)
    await stream.has(NEW)
    t.same(stream.targets, added, `a stream with Last-Event-ID has ${NEW} new events`)
    t.same(await this.feed(test, this.#cursor), added, `a saved cursor of the feed has ${NEW} new events`)
    t.same(await this.feed(test), all, 'the whole feed is in order')
    t.same(await this.#audit(test), all.toReversed(), 'the audit list has the new events above the old ones')
    const relay = follow(test)
    await eventually(async () => (await handed(test)).length >= all.length, 'the subscriber has the new events')
    await relay.stop()
    t.same(await handed(test), all, `the subscriber was handed ${NEW} new events, and no old one again`)
  }

  /** Returns all events after `cursor`, or all events. */
  async feed(test: TestApp, cursor = ''): Promise<string[]> {
    return targetsOf(await this.#page(test, cursor))
  }

  async #page({ app }: TestApp, cursor: string) {
    const query = `organizationId=${this.#organization.id}&limit=100${cursor && `&cursor=${cursor}`}`
    return (await call(app, `GET /events?${query}`, { as: this.#organization.admin })).body
  }

  async #audit({ app }: TestApp): Promise<string[]> {
    const { id, admin } = this.#organization
    return targetsOf((await call(app, `GET /organizations/${id}/events?limit=100`, { as: admin })).body)
  }
}

async function open(t: Test, base: string, { id: organizationId, admin: as }: TestOrganization, lastEventId?: string) {
  const resumed = lastEventId === undefined ? {} : { lastEventId }
  const stream = await EventStreamClient.open(base, { organizationId, as, ...resumed })
  t.teardown(stream.leave)
  return stream
}

/** Starts a subscriber that stores what it receives, in the transaction of its cursor. */
function follow({ app }: TestApp): Relay {
  const relay = new Relay(app.database, { warn() {} })
  relay.subscribe(SUBSCRIBER, async (tx, events) => {
    for (const { targetId } of events) await tx.execute('insert into handed (target_id) values ($1)', [targetId])
  })
  relay.start()
  return relay
}

async function handed({ sql }: TestApp): Promise<string[]> {
  const rows = await sql('select target_id from handed order by at')
  return rows.map((row: { target_id: string }) => row.target_id)
}
