import type { FastifyInstance } from 'fastify'
import type { Caller } from '../../../events/caller.ts'
import { record } from '../../../events/record.ts'
import { orPreconditionFailed } from '../../../lib/errors.ts'
import { fileEvents } from '../events.ts'
import { removeBytes } from '../jobs.ts'
import { deleteFileRow, freeRoom } from '../queries.ts'

/** Frees the room at once; a job removes the bytes after the commit. Throws `not_found`, `precondition_failed`. */
export const deleteFile = (app: FastifyInstance, caller: Caller, id: string, ifMatch: number[] | null) =>
  caller.transaction(async tx => {
    const file = orPreconditionFailed(await deleteFileRow(tx, { id, ifMatch }), ifMatch)
    await freeRoom(tx, file)
    await record(tx, caller, fileEvents.deleted, file)
    await app.jobs.enqueue(tx, removeBytes, { fileId: id }, caller.traceparent)
  })
