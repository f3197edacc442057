import type { IncomingMessage } from 'node:http'
import type { FastifyReply } from 'fastify'
import { requestErrors } from '../lib/errors.ts'

/** A body must bring so many bytes in each window: 80 kbit/s, less than any connection that uploads files has. */
const MIN_BYTES = 100_000
const WINDOW_MS = 10_000
/** However fast it is. Orphans of the storage are older than this. */
export const MAX_BODY_MS = 1_200_000

const ARRIVED = Symbol('when the body had arrived')
interface Streamed extends IncomingMessage {
  [ARRIVED]?: number
}

/**
 * Does `work`, which reads the body of a request as a stream. Such a body may take longer than the limit of all others,
 * as long as it keeps coming. Throws `request_timeout` when it does not.
 */
export async function streaming<T>(reply: FastifyReply, work: () => Promise<T>): Promise<T> {
  const { raw } = reply.request
  reply.request.leaveFlight()
  const { promise: late, reject } = Promise.withResolvers<never>()
  const { socket } = raw
  const until = performance.now() + MAX_BODY_MS
  let before = socket.bytesRead
  const watch = setInterval(() => {
    const isLate = socket.bytesRead - before < MIN_BYTES || performance.now() > until
    before = socket.bytesRead
    if (isLate && !raw.complete) reject(requestErrors.request_timeout())
  }, WINDOW_MS)
  mark(raw, Number.POSITIVE_INFINITY)
  try {
    return await Promise.race([work(), late])
  } finally {
    clearInterval(watch)
    // Nobody waits for the rest.
    if (!raw.complete) reply.header('connection', 'close')
    mark(raw, performance.now())
  }
}

const mark = (raw: Streamed, at: number): void => {
  raw[ARRIVED] = at
}

/** Whether the body is being read as a stream. */
export const isStreaming = (raw: Streamed): boolean => raw[ARRIVED] === Number.POSITIVE_INFINITY

/** The milliseconds since a streamed body has arrived: negative while it does, undefined for any other body. */
export const sinceStreamed = (raw: Streamed): number | undefined =>
  raw[ARRIVED] === undefined ? undefined : performance.now() - raw[ARRIVED]
