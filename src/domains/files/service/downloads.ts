import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { attachment, rangeOf } from '../../../lib/download.ts'
import { fileErrors } from '../errors.ts'
import type { File } from '../schemas.ts'

type Headers = Pick<FastifyRequest, 'headers'>

/** Sends the bytes, or the part that `Range` asks for, as an attachment that no browser runs. */
export async function sendContent({ storage }: FastifyInstance, { headers }: Headers, reply: FastifyReply, file: File) {
  const { id, sizeBytes, sha256 } = file
  const etag = `"${sha256}"`
  reply.headers({ etag, 'accept-ranges': 'bytes', 'cache-control': 'private, no-cache' })
  if (isKnown(headers['if-none-match'], etag)) return reply.code(304).send()
  // A date in If-Range never matches: the tag is the stronger validator (RFC 9110 §13.1.5).
  const isSame = headers['if-range'] === undefined || headers['if-range'] === etag
  const range = isSame ? rangeOf(headers.range, sizeBytes) : undefined
  if (range === null) throw fileErrors.range_not_satisfiable({ headers: { 'content-range': `bytes */${sizeBytes}` } })
  reply.headers({
    'content-type': file.type,
    'content-length': range ? range.end - range.start + 1 : sizeBytes,
    'content-disposition': attachment(file.name),
    'content-security-policy': "sandbox; default-src 'none'; frame-ancestors 'none'",
    'repr-digest': `sha-256=:${Buffer.from(sha256, 'hex').toString('base64')}:`,
    ...(range && { 'content-range': `bytes ${range.start}-${range.end}/${sizeBytes}` }),
  })
  return reply.code(range ? 206 : 200).send(await storage.read(id, range))
}

/** The weak comparison (RFC 9110 §13.1.2). */
const isKnown = (header: string | undefined, etag: string): boolean =>
  header !== undefined && (header.trim() === '*' || header.includes(etag))
