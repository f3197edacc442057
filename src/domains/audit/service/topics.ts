import type { FastifyInstance } from 'fastify'
import { type Actor, type Membership, reachesRole } from '../../../lib/access.ts'
import { AppError } from '../../../lib/errors.ts'
import { countBehind, feedCursors, type Place } from '../queries.ts'
import type { Event } from '../schemas.ts'
import type { LiveFeed, Page } from './feed.ts'

/** What is sent again to who comes back. Whoever missed more reads the state anew, which is less. */
const RESUMABLE = 10_000
/** A socket with several topics is sent a page of each, but nothing on top of what it has not taken. */
const ROOM_BYTES = 65_536
/** What a viewer reads anyway. Members, invitations and keys are an admin's. */
const FOR_VIEWERS = new Set(['organization', 'project', 'task', 'comment'])

type Socket = Parameters<Parameters<FastifyInstance['sockets']['define']>[1]['begin']>[0]
type Kind = 'organization' | 'project' | 'task'

/** A project or a task has what happens to it, and to what lies in it. */
const concerns: Record<Kind, (event: Event, id: string) => boolean> = {
  organization: () => true,
  project: ({ target, data }, id) => target.id === id || (data as { projectId?: string }).projectId === id,
  task: ({ target, data }, id) => target.id === id || (data as { taskId?: string }).taskId === id,
}

/** The topics that are an organization's feed, or a part of it. */
export function defineTopics(app: FastifyInstance, feed: LiveFeed): void {
  for (const kind of Object.keys(concerns) as Kind[])
    app.sockets.define(kind, {
      async begin(socket, { name, id, after }) {
        const { organizationId } = await app.tenancy.check(kind, id, socket.principal.actor, 'viewer')
        const resumed = await resume(app, feed, organizationId, after)
        if (resumed.reason) socket.send({ type: 'resync', topic: name, reason: resumed.reason })
        socket.send({ type: 'subscribed', topic: name, cursor: feedCursors(organizationId).cursorOf(resumed.place) })
        const topic = new FeedTopic(app, socket, { kind, name, id, organizationId })
        return { recheck: once => topic.check(once), leave: feed.follow(organizationId, resumed.place, topic) }
      },
    })
}

interface Resumed {
  place: Place
  reason?: 'cursor_unknown' | 'too_old'
}

/** Where to go on: behind `after`, or at the end where that cannot be. */
async function resume(app: FastifyInstance, feed: LiveFeed, organizationId: string, after: string | undefined) {
  try {
    const place = await feed.placeAt(organizationId, after)
    if (after === undefined) return { place } satisfies Resumed as Resumed
    const behind = await countBehind(app.database, { organizationId, ...place, most: RESUMABLE + 1 })
    if ((behind?.count ?? 0) <= RESUMABLE) return { place } as Resumed
    return { place: await feed.placeAt(organizationId, undefined), reason: 'too_old' } as Resumed
  } catch (error) {
    if (!(error instanceof AppError) || !error.code.startsWith('cursor_')) throw error
    return { place: await feed.placeAt(organizationId, undefined), reason: 'cursor_unknown' } as Resumed
  }
}

interface Topic {
  kind: Kind
  name: string
  id: string
  organizationId: string
}
type Once = <T>(key: string, make: () => T) => T

/** A socket's subscription, which is told what happens in the organization and hands on what concerns the topic. */
class FeedTopic {
  readonly #app: FastifyInstance
  readonly #socket: Socket
  readonly #topic: Topic

  constructor(app: FastifyInstance, socket: Socket, topic: Topic) {
    this.#app = app
    this.#socket = socket
    this.#topic = topic
  }

  get isReady(): boolean {
    return this.#socket.isReady
  }

  /** By the organization, so that the end of a task is still told to those who look at it. */
  check(once: Once): Promise<Membership> {
    const { actor } = this.#socket.principal
    const { organizationId } = this.#topic
    return once(`access ${actor.id} ${organizationId}`, () =>
      this.#app.tenancy.check('organization', organizationId, actor, 'viewer'),
    )
  }

  async take(page: Page): Promise<boolean> {
    const socket = this.#socket
    const once: Once = (key, make) => page.shared(key, make)
    let membership: Membership | undefined
    const ask = async () => {
      membership = await this.check(once)
    }
    if (!(await socket.hasCredential(once)) || !(await socket.isAllowed(ask))) return false
    if (!membership || socket.bufferedBytes > ROOM_BYTES) return false
    const seesAll = isAdmin(socket.principal.actor, membership)
    for (const json of once(`${this.#topic.name} ${seesAll}`, () => this.#messages(page, seesAll))) socket.write(json)
    return true
  }

  #messages({ events }: Page, seesAll: boolean): Buffer[] {
    const { kind, name, id } = this.#topic
    return events
      .filter(({ event }) => (seesAll || FOR_VIEWERS.has(event.target.type)) && concerns[kind](event, id))
      .map(({ cursor, json }) => Buffer.from(`{"type":"event","topic":"${name}","cursor":"${cursor}","event":${json}}`))
  }
}

/** A key that reads events reads all of them, in the feed as well. */
const isAdmin = (actor: Actor, { role }: Membership): boolean =>
  actor.type === 'api_key' || (role !== null && reachesRole(role, 'admin'))
