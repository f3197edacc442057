import { text as textOf } from 'node:stream/consumers'
import type { FastifyInstance, InjectOptions, LightMyRequestResponse } from 'fastify'

export interface Credentials {
  headers: Record<string, string>
}

interface Call {
  as?: Credentials | null
  body?: unknown
  headers?: Record<string, string>
  /** The client's address. Without it each call has its own, so that no limit by address is reached by chance. */
  from?: string
  /** The response may be a stream. One that is read with GET may not end by itself: it is closed as soon as it has begun. */
  streams?: boolean
}

const isRaw = (body: unknown): body is string | Buffer => typeof body === 'string' || Buffer.isBuffer(body)

let callers = 0
const BYTE = 256
const nextAddress = (): string => {
  callers++
  return `10.${Math.floor(callers / BYTE / BYTE) % BYTE}.${Math.floor(callers / BYTE) % BYTE}.${callers % BYTE}`
}

/**
 * Sends a request: `await call(app, 'POST /projects/…/tasks', { as: member, body })`; a path without `/api` is below
 * `/api/v1`.
 */
export async function call(
  app: FastifyInstance,
  request: string,
  { as, body, headers, from, streams = false }: Call = {},
) {
  const [method, path] = request.split(' ') as [InjectOptions['method'], string]
  const url = /^\/(api|health|docs|metrics|openapi|asyncapi|dev|graphql|storage|\.well-known)\b/.test(path)
    ? path
    : `/api/v1${path}`
  const answer = await app.inject({
    method: method as 'GET',
    url,
    remoteAddress: from ?? nextAddress(),
    headers: {
      ...as?.headers,
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...headers,
    },
    ...(body === undefined ? {} : { payload: isRaw(body) ? body : JSON.stringify(body) }),
    payloadAsStream: streams,
  })
  const text = streams ? await begunBy(answer, method === 'GET') : answer.payload
  const isJson = /json/.test(String(answer.headers['content-type']))
  return {
    status: answer.statusCode,
    headers: answer.headers as Record<string, string | undefined>,
    text,
    body: isJson && text !== '' ? JSON.parse(text) : undefined,
  }
}

/** Returns the whole body of a problem or of an answer to a write, but nothing of a stream without an end. */
async function begunBy(answer: LightMyRequestResponse, isEndless: boolean): Promise<string> {
  if (answer.statusCode >= 300 || !isEndless) return textOf(answer.stream())
  answer.raw.res.destroy()
  return ''
}

export type Answer = Awaited<ReturnType<typeof call>>
