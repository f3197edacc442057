import type { FastifyInstance, FastifyRequest } from 'fastify'
import { type Caller, userIdOf } from '../../../events/caller.ts'
import { record } from '../../../events/record.ts'
import { orPreconditionFailed } from '../../../lib/errors.ts'
import { storageErrors } from '../../../lib/storage-errors.ts'
import { fileEvents } from '../events.ts'
import { removeBytes } from '../jobs.ts'
import { deleteFileRow, freeRoom, insertFile } from '../queries.ts'

/** Throws `storage_quota_exceeded`. */
export const createFile = (
  caller: Caller,
  organizationId: string,
  { key: id, ...content }: FastifyRequest['upload'],
  quota: number,
) =>
  caller.transaction(async tx => {
    const file = await insertFile(tx, { ...content, id, organizationId, createdBy: userIdOf(caller), quota })
    if (!file) throw storageErrors.storage_quota_exceeded()
    await record(tx, caller, fileEvents.created, file)
    return file
  })

/** Frees the room at once; a job removes the bytes after the commit. Throws `not_found`, `precondition_failed`. */
export const deleteFile = (app: FastifyInstance, caller: Caller, id: string, ifMatch: number[] | null) =>
  caller.transaction(async tx => {
    const file = orPreconditionFailed(await deleteFileRow(tx, { id, ifMatch }), ifMatch)
    await freeRoom(tx, file)
    await record(tx, caller, fileEvents.deleted, file)
    await app.jobs.enqueue(tx, removeBytes, { fileId: id }, caller.traceparent)
  })
