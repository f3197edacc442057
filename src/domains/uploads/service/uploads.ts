import { buffer } from 'node:stream/consumers'
import type { FastifyInstance } from 'fastify'
import type { Transaction } from '../../../database/client.ts'
import { bySystem, type Caller, userIdOf } from '../../../events/caller.ts'
import { record } from '../../../events/record.ts'
import { orNotFound, requireVersion } from '../../../lib/errors.ts'
import { newId } from '../../../lib/ids.ts'
import { HEAD_BYTES, typeOf } from '../../../lib/measure.ts'
import { storageErrors } from '../../../lib/storage-errors.ts'
import { fileEvents } from '../../files/events.ts'
import { findFile, freeRoom, insertStored } from '../../files/queries.ts'
import { uploadErrors } from '../errors.ts'
import { uploadEvents } from '../events.ts'
import { completeUploadRow, deleteUploadRow, insertUpload, lockUpload } from '../queries.ts'
import type { CreateUpload, NewUpload } from '../schemas.ts'

type App = Pick<FastifyInstance, 'storage'>

interface Limits {
  directMaxBytes: number
  quotaBytes: number
}

/** Long enough for the largest file at 12 Mbit/s. */
const EXPIRES_MS = 3_600_000

/** Throws `file_too_large`, `storage_quota_exceeded`. */
export const createUpload = (
  { storage }: App,
  caller: Caller,
  organizationId: string,
  announced: CreateUpload,
  { directMaxBytes, quotaBytes: quota }: Limits,
): Promise<NewUpload> =>
  caller.transaction(async tx => {
    if (announced.sizeBytes > directMaxBytes) throw storageErrors.file_too_large()
    const expiresAt = new Date(Date.now() + EXPIRES_MS)
    const row = { ...announced, id: newId(), organizationId, createdBy: userIdOf(caller), quota }
    const upload = await insertUpload(tx, { ...row, expiresAt: expiresAt.toISOString() })
    if (!upload) throw storageErrors.storage_quota_exceeded()
    await record(tx, caller, uploadEvents.created, upload)
    return { ...upload, ...(await storage.uploadGrant({ key: upload.id, ...announced }, expiresAt)) }
  })

/** What the storage has of an upload. */
export type Arrived = { sizeBytes: number; type: string } | null

/** Null when nothing has arrived. Throws `storage_unavailable`. */
export async function findArrived({ storage }: App, id: string): Promise<Arrived> {
  const found = await storage.stat(id)
  if (!found) return null
  const { sizeBytes } = found
  const end = Math.min(sizeBytes, HEAD_BYTES) - 1
  const head = end < 0 ? Buffer.alloc(0) : await buffer(await storage.read(id, { start: 0, end }))
  return { sizeBytes, type: await typeOf(head) }
}

/**
 * Makes a file of what has arrived; returns the same file again when that was done before. Throws `not_found`,
 * `precondition_failed`, `upload_incomplete`, `upload_differs`.
 */
export const completeUpload = (caller: Caller, id: string, arrived: Arrived, ifMatch: number[] | null) =>
  caller.transaction(async tx => {
    const upload = orNotFound(await lockUpload(tx, { id }))
    requireVersion(upload, ifMatch)
    if (upload.status === 'completed') return orNotFound(await findFile(tx, { id }))
    if (!arrived) throw uploadErrors.upload_incomplete()
    if (arrived.sizeBytes !== upload.sizeBytes) throw storageErrors.upload_differs()
    const { organizationId, name, sizeBytes, sha256, createdBy } = upload
    const row = { id, organizationId, name, type: arrived.type, sizeBytes, sha256, createdBy }
    const file = orNotFound(await insertStored(tx, row))
    await completeUploadRow(tx, { id })
    await record(tx, caller, fileEvents.created, file)
    return file
  })

/** Bytes that have arrived are collected with the orphans. Throws `not_found`, `precondition_failed`, `upload_completed`. */
export const deleteUpload = (caller: Caller, id: string, ifMatch: number[] | null) =>
  caller.transaction(async tx => {
    const upload = orNotFound(await lockUpload(tx, { id }))
    requireVersion(upload, ifMatch)
    if (upload.status === 'completed') throw uploadErrors.upload_completed()
    await deleteUploadRow(tx, { id })
    await freeRoom(tx, upload)
    await record(tx, caller, uploadEvents.deleted, upload)
  })

/** Ends an upload in `tx` whose time is over; a completed one only has no row any more. */
export async function expireUpload(tx: Transaction, id: string): Promise<void> {
  const upload = await lockUpload(tx, { id })
  if (!upload) return
  await deleteUploadRow(tx, { id })
  if (upload.status === 'completed') return
  await freeRoom(tx, upload)
  await record(tx, bySystem(tx), uploadEvents.expired, upload)
}
