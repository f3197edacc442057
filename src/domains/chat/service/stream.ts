import type { Readable } from 'node:stream'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { AppError, errorCatalogue, orNotFound, requestErrors } from '../../../lib/errors.ts'
import { findMessage, findRunning } from '../queries/messages.ts'
import type { AnswerFeed } from './feed.ts'

/** `<answer>.<place>`, or `<answer>.end` when nothing follows. */
const EVENT_ID = /^([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\.(\d{1,9}|end)$/

export interface Place {
  id: string
  offset: number
}

interface Reading {
  app: FastifyInstance
  feed: AnswerFeed
  request: FastifyRequest
  reply: FastifyReply
  chatId: string
}

const block = (id: string, event: string, data: string): string => `id: ${id}\nevent: ${event}\ndata: ${data}\n\n`

/** Opens a stream of an answer from a place on. Throws the errors of streams. */
export function openAnswer(
  { app, feed, request, reply, chatId }: Reading,
  { id, offset }: Place,
  begun = '',
): Readable {
  const stream = app.streams.open(request, reply)
  stream.send(begun ? block(`${id}.${offset}`, 'begun', begun) : `id: ${id}.${offset}\n\n`)
  const unfollow = feed.follow({
    id,
    offset,
    get isReady() {
      return stream.isReady
    },
    async send(text) {
      if (!(await stream.hasAccess())) return false
      const place = this.offset + text.length
      stream.send(block(`${id}.${place}`, 'delta', JSON.stringify({ text })))
      return true
    },
    async end() {
      if (!(await stream.hasAccess())) return
      stream.send(await lastBlock(app, request, { id, chatId }))
      stream.end()
    },
  })
  stream.onClose(unfollow)
  return stream.body
}

/** Returns the event that ends a stream: `done` with the answer, or `problem`. */
async function lastBlock(app: FastifyInstance, request: FastifyRequest, key: { id: string; chatId: string }) {
  const row = orNotFound(await findMessage(app.database, key))
  const { failureDetail, retryAfterSeconds, version, ...answer } = row
  const end = `${answer.id}.end`
  if (answer.failureCode === null) return block(end, 'done', JSON.stringify(answer))
  const problem = app.problemOf(errorOf(answer.failureCode, failureDetail), request)
  return block(end, 'problem', JSON.stringify(retryAfterSeconds === null ? problem : { ...problem, retryAfterSeconds }))
}

/** Returns the error of a stored code, also of one that a later version no longer has. */
function errorOf(code: string, detail: string | null): AppError {
  const definition = errorCatalogue.get(code) ?? { status: 500, title: 'The answer failed', help: '' }
  return new AppError(code, definition, detail === null ? {} : { detail })
}

/**
 * Returns where a reader goes on: after `lastEventId`, or at the beginning of the running answer; undefined when there
 * is nothing more. Throws `cursor_invalid`, `cursor_mismatch`.
 */
export async function placeAfter(
  { database }: FastifyInstance,
  chatId: string,
  lastEventId: string | undefined,
): Promise<Place | undefined> {
  const running = await findRunning(database, { chatId })
  const [, id, place] = lastEventId ? (EVENT_ID.exec(lastEventId) ?? []) : []
  if (lastEventId && id === undefined) throw requestErrors.cursor_invalid()
  if (id === undefined || (place === 'end' && running)) return running && { id: running.id, offset: 0 }
  if (!(await findMessage(database, { id, chatId }))) throw requestErrors.cursor_mismatch()
  return place === 'end' ? undefined : { id, offset: Number(place) }
}
