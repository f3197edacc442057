import { finished, Readable } from 'node:stream'
import type { MultipartFile } from '@fastify/multipart'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { AppError, type ErrorFactory, invalid, requestErrors } from '../../lib/errors.ts'
import { newId } from '../../lib/ids.ts'
import { Measure, type Measured } from '../../lib/measure.ts'
import { streaming } from '../streamed-body.ts'
import type { Storage } from './storage.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** What the body has brought to the storage; only where the route takes an upload. */
    upload: Upload
  }
}

/** A file that was uploaded: where its bytes are, and what is known of them. */
export interface Upload extends Measured {
  key: string
  name: string
}

const NAME_CHARACTERS = 255
/** Each stream on the way holds little more than one chunk of the socket, because many clients upload at once. */
const BUFFER_BYTES = 16_384

/**
 * Hooks of a route that takes one file in a multipart body. Before the handler they stream it to the storage as
 * `request.upload`; before the answer they remove it again where the handler has refused it, or an answer was replayed.
 * They throw `unsupported_media_type`, `malformed_request`, `validation_failed`, `request_timeout` and `tooLarge`.
 */
export const uploadHooks = (storage: Storage) => (maxBytes: number, tooLarge: ErrorFactory) => ({
  async preHandler(request: FastifyRequest, reply: FastifyReply) {
    const key = newId()
    request.server.transfers(reply)
    const measured = await streaming(reply, () => receive(storage, key, request, maxBytes, tooLarge))
    request.upload = { key, ...measured }
    // What the fingerprint of an Idempotency-Key is made of.
    request.body = measured
  },
  async onSend({ upload }: FastifyRequest, reply: FastifyReply) {
    const isRefused = reply.statusCode >= 400 && reply.statusCode < 500
    // Any other failure may have come after the commit. Bytes that no row names are collected later.
    if (upload !== null && (isRefused || reply.hasHeader('idempotent-replayed'))) await storage.remove(upload.key)
  },
})

async function receive(
  storage: Storage,
  key: string,
  request: FastifyRequest,
  maxBytes: number,
  tooLarge: ErrorFactory,
): Promise<Omit<Upload, 'key'>> {
  if (!request.isMultipart()) throw requestErrors.unsupported_media_type()
  const limits = { fileSize: maxBytes, files: 1, fields: 0, parts: 2 }
  const parts = request.parts({ preservePath: true, fileHwm: BUFFER_BYTES, highWaterMark: BUFFER_BYTES, limits })
  try {
    const { value: part } = await parts.next()
    if (part?.type !== 'file' || part.fieldname !== 'file') throw invalid('#/file', 'must be a file')
    const measure = new Measure()
    part.file.on('data', (chunk: Buffer) => measure.add(chunk))
    await storage.write(key, oneByOne(request.raw, part.file))
    // The library ends the stream at the limit as if it were the end of the file.
    if (part.file.truncated) throw tooLarge()
    const { done } = await parts.next()
    if (!done) throw invalid('#', 'must have one part, the file')
    return { name: nameOf(part), ...(await measure.result()) }
  } catch (error) {
    await storage.remove(key)
    throw refusalOf(error as Error & { code?: string })
  }
}

/**
 * The chunks of `file`, which is parsed from `body`, as they are asked for. While one is written the body is paused: many
 * clients upload at once, and the streams between would each hold a chunk more.
 */
function oneByOne(body: Readable, file: Readable): Readable {
  const source = new Readable({ highWaterMark: 0, read: () => void body.resume() })
  file.on('data', chunk => {
    source.push(chunk)
    body.pause()
  })
  finished(file, error => {
    if (error) source.destroy(error)
    else source.push(null)
    body.resume()
  })
  return source
}

/** The name in NFC, without NUL and halves of characters, and cut to its length; an upload without one is `file`. */
function nameOf({ filename }: MultipartFile): string {
  const name = Array.from((filename ?? '').replaceAll('\0', '').toWellFormed().normalize('NFC'))
  return name.slice(0, NAME_CHARACTERS).join('') || 'file'
}

/** What the parser says about the body is a fault of the client; all else is not. */
function refusalOf(error: Error & { code?: string }): Error {
  if (error instanceof AppError) return error
  const { code = '' } = error
  if (/^FST_(FILES|FIELDS|PARTS)_LIMIT$/.test(code)) return invalid('#', 'must have one part, the file')
  if (code === '' || code.startsWith('FST_'))
    return requestErrors.malformed_request({ detail: 'The multipart body cannot be read.', cause: error })
  return error
}
