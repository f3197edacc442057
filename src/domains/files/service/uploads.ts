import type { MultipartFile } from '@fastify/multipart'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { userIdOf } from '../../../events/caller.ts'
import { record } from '../../../events/record.ts'
import { AppError, type ErrorFactory, invalid, requestErrors } from '../../../lib/errors.ts'
import { newId } from '../../../lib/ids.ts'
import { fileErrors } from '../errors.ts'
import { fileEvents } from '../events.ts'
import { insertFile } from '../queries.ts'
import { Measure } from './measure.ts'

export interface Limits {
  maxBytes: number
  quotaBytes: number
}
type Upload = Pick<FastifyRequest, 'isMultipart' | 'parts'>
type Request = Upload & Pick<FastifyRequest, 'caller' | 'organizationId'>

const NAME_CHARACTERS = 255

/**
 * Streams the file of a multipart body to the storage, then writes its row. Throws `unsupported_media_type`,
 * `malformed_request`, `validation_failed`, `file_too_large`, `storage_quota_exceeded`.
 */
export async function uploadFile(app: FastifyInstance, request: Request, { maxBytes, quotaBytes }: Limits) {
  const id = newId()
  const { caller, organizationId } = request
  const content = await storeUpload(app, id, request, maxBytes, fileErrors.file_too_large)
  try {
    return await caller.transaction(async tx => {
      const row = { ...content, id, organizationId, createdBy: userIdOf(caller), quota: quotaBytes }
      const file = await insertFile(tx, row)
      if (!file) throw fileErrors.storage_quota_exceeded()
      await record(tx, caller, fileEvents.created, file)
      return file
    })
  } catch (error) {
    // Any other failure may have come after the commit. Bytes that no row names are collected later.
    if (isRefusal(error)) await app.storage.remove(id)
    throw error
  }
}

const isRefusal = (error: unknown): boolean => error instanceof AppError && error.status < 500

/**
 * Streams the only file of a multipart body to the storage, and removes it again when it is not whole. Returns its name and what its
 * bytes tell. Throws `unsupported_media_type`, `malformed_request`, `validation_failed`, and `tooLarge`.
 */
export async function storeUpload(
  { storage }: FastifyInstance,
  id: string,
  request: Upload,
  maxBytes: number,
  tooLarge: ErrorFactory,
) {
  if (!request.isMultipart()) throw requestErrors.unsupported_media_type()
  const parts = request.parts({ preservePath: true, limits: { fileSize: maxBytes, files: 1, fields: 0, parts: 2 } })
  try {
    const { value: part } = await parts.next()
    if (part?.type !== 'file' || part.fieldname !== 'file') throw invalid('#/file', 'must be a file')
    const measure = new Measure()
    await storage.write(id, measure.of(part.file))
    // The library ends the stream at the limit as if it were the end of the file.
    if (part.file.truncated) throw tooLarge()
    const { done } = await parts.next()
    if (!done) throw invalid('#', 'must have one part, the file')
    return { name: nameOf(part), ...(await measure.result()) }
  } catch (error) {
    await storage.remove(id)
    throw refusalOf(error as Error & { code?: string })
  }
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
