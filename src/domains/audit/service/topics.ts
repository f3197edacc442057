import type { FastifyInstance } from 'fastify'
import { type Actor, type Membership, reachesRole } from '../../../lib/access.ts'
import { AppError } from '../../../lib/errors.ts'
import type { Memo } from '../../../lib/memo.ts'
import { countBehind, feedCursors, type Place } from '../queries/events.ts'
import type { Event } from '../schemas.ts'
import type { LiveFeed, Page } from './feed.ts'
import { isExpired } from './retention.ts'

/** The most events that are sent after a resume. A client that missed more reads the current state, which is smaller. */
const MAX_REPLAYED = 10_000
/** Several topics may send a page at once; a socket with more than this in its buffer gets no further page. */
const MAX_BUFFERED_BYTES = 65_536
/** The targets that viewers can read. Events of members, invitations and API keys need the role admin. */
const VIEWER_TARGETS = new Set([
  'organization',
  'project',
  'task',
  'comment',
  'room',
  'room_member',
  'message',
  'attachment',
])
/** Of posts, viewers read only what is published; so they get no comments on posts either. */
const isForViewers = ({ type, target, data }: Event): boolean =>
  type === 'post.published' || (VIEWER_TARGETS.has(target.type) && !(data as { postId?: string | null }).postId)

type Socket = Parameters<Parameters<FastifyInstance['sockets']['define']>[1]['begin']>[0]
type Kind = 'organization' | 'project' | 'task' | 'room'

/** Whether an event belongs to a topic: it is about the resource, or about something in it. */
const belongs: Record<Kind, (event: Event, id: string) => boolean> = {
  organization: () => true,
  project: ({ target, data }, id) => target.id === id || (data as { projectId?: string }).projectId === id,
  task: ({ target, data }, id) => target.id === id || (data as { taskId?: string }).taskId === id,
  room: ({ target, data }, id) => target.id === id || (data as { roomId?: string }).roomId === id,
}

/** Defines the topics: each is the feed of an organization, or the part about one project, task or room. */
export function defineTopics(app: FastifyInstance, feed: LiveFeed): void {
  for (const kind of Object.keys(belongs) as Kind[])
    app.sockets.define(kind, {
      async begin(socket, { name, id, after }) {
        const { organizationId } = await app.tenancy.check(kind, id, socket.principal.actor, 'viewer')
        const resumed = await resume(app, feed, organizationId, after)
        if (resumed.reason) socket.send({ type: 'resync', topic: name, reason: resumed.reason })
        socket.send({ type: 'subscribed', topic: name, cursor: feedCursors(organizationId).cursorOf(resumed.place) })
        const topic = new FeedTopic(app, socket, { kind, name, id, organizationId })
        return { recheck: memo => topic.check(memo), leave: feed.follow(organizationId, resumed.place, topic) }
      },
    })
}

interface Resumed {
  place: Place
  reason?: 'cursor_unknown' | 'cursor_expired' | 'too_old'
}

/** Returns the place of `after`, or the end of the feed with the reason why it cannot resume. */
async function resume(app: FastifyInstance, feed: LiveFeed, organizationId: string, after?: string): Promise<Resumed> {
  try {
    const place = await feed.placeAt(organizationId, after)
    const reason = after === undefined ? undefined : await reasonAgainst(app, organizationId, place)
    return reason === undefined ? { place } : { place: await feed.placeAt(organizationId, undefined), reason }
  } catch (error) {
    if (!(error instanceof AppError) || !error.code.startsWith('cursor_')) throw error
    return { place: await feed.placeAt(organizationId, undefined), reason: 'cursor_unknown' }
  }
}

/** Returns why the events after a place are not sent, or undefined. */
async function reasonAgainst({ database }: FastifyInstance, organizationId: string, place: Place) {
  if (await isExpired(database, place)) return 'cursor_expired'
  const behind = await countBehind(database, { organizationId, ...place, most: MAX_REPLAYED + 1 })
  return (behind?.count ?? 0) > MAX_REPLAYED ? 'too_old' : undefined
}

interface Topic {
  kind: Kind
  name: string
  id: string
  organizationId: string
}

/** A subscription: reads the feed of the organization and sends the events of its topic to the socket. */
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

  /** Checks access to the organization, not to the resource: the deletion of a task is still sent to its topic. */
  check(memo: Memo): Promise<Membership> {
    const { actor } = this.#socket.principal
    const { organizationId } = this.#topic
    return memo(`access ${actor.id} ${organizationId}`, () =>
      this.#app.tenancy.check('organization', organizationId, actor, 'viewer'),
    )
  }

  async send(page: Page): Promise<boolean> {
    const socket = this.#socket
    const memo = page.shared
    let membership: Membership | undefined
    const check = async () => {
      membership = await this.check(memo)
    }
    if (!(await socket.hasCredential(memo)) || !(await socket.isAllowed(check))) return false
    if (!membership || socket.bufferedBytes > MAX_BUFFERED_BYTES) return false
    const seesAll = isAdmin(socket.principal.actor, membership)
    for (const json of memo(`${this.#topic.name} ${seesAll}`, () => this.#messages(page, seesAll))) socket.write(json)
    return true
  }

  #messages({ events }: Page, seesAll: boolean): Buffer[] {
    const { kind, name, id } = this.#topic
    return events
      .filter(({ event }) => (seesAll || isForViewers(event)) && belongs[kind](event, id))
      .map(({ cursor, json }) => Buffer.from(`{"type":"event","topic":"${name}","cursor":"${cursor}","event":${json}}`))
  }
}

/** API keys with `events:read` see all events, as in the feed. */
const isAdmin = (actor: Actor, { role }: Membership): boolean =>
  actor.type === 'api_key' || (role !== null && reachesRole(role, 'admin'))
