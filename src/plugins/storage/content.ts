import type { FastifyReply, FastifyRequest } from 'fastify'
import { attachment, rangeOf } from '../../lib/download.ts'
import { storageErrors } from '../../lib/storage-errors.ts'
import type { Content, Storage } from './storage.ts'

/** Sends the bytes, or the part that `Range` asks for, as an attachment that no browser runs. */
export async function sendContent(
  storage: Storage,
  { headers }: Pick<FastifyRequest, 'headers'>,
  reply: FastifyReply,
  content: Content,
) {
  const { key, sizeBytes } = content
  const etag = `"${content.sha256}"`
  reply.headers({ etag, 'accept-ranges': 'bytes', 'cache-control': 'private, no-cache' })
  if (isKnown(headers['if-none-match'], etag)) return reply.code(304).send()
  // A date in If-Range never matches: the tag is the stronger validator (RFC 9110 §13.1.5).
  const isSame = headers['if-range'] === undefined || headers['if-range'] === etag
  const range = isSame ? rangeOf(headers.range, sizeBytes) : undefined
  if (range === null)
    throw storageErrors.range_not_satisfiable({ headers: { 'content-range': `bytes */${sizeBytes}` } })
  const source = await storage.read(key, range)
  reply.server.transfers(reply)
  reply.headers(headersOf(content))
  if (range === undefined) return reply.header('content-length', sizeBytes).send(source)
  const { start, end } = range
  reply.headers({ 'content-length': end - start + 1, 'content-range': `bytes ${start}-${end}/${sizeBytes}` })
  return reply.code(206).send(source)
}

const headersOf = ({ name, type, sha256 }: Content) => ({
  'content-type': type,
  'content-disposition': attachment(name),
  'content-security-policy': "sandbox; default-src 'none'; frame-ancestors 'none'",
  'repr-digest': `sha-256=:${Buffer.from(sha256, 'hex').toString('base64')}:`,
})

/** The weak comparison (RFC 9110 §13.1.2). */
const isKnown = (header: string | undefined, etag: string): boolean =>
  header !== undefined && (header.trim() === '*' || header.includes(etag))
