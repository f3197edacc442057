import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { Caller } from '../../../events/caller.ts'
import { record } from '../../../events/record.ts'
import { AppError, orNotFound, orPreconditionFailed, requireVersion } from '../../../lib/errors.ts'
import { newId } from '../../../lib/ids.ts'
import { storeUpload } from '../../files/service/uploads.ts'
import { avatarErrors } from '../errors.ts'
import { avatarEvents } from '../events.ts'
import { processAvatar } from '../jobs.ts'
import { deleteAvatarRow, findAvatar, upsertAvatar } from '../queries.ts'
import type { Avatar } from '../schemas.ts'

const MAX_BYTES = 10_000_000
const TYPES = /^image\/(jpeg|png|webp|gif|avif)$/

const reference = ({ userId, status }: Avatar) => ({ id: userId, userId, status })

/** Stores an image and enqueues the making of its sizes. Throws as an upload, `avatar_too_large`, `not_an_image`. */
export async function changeAvatar(
  app: FastifyInstance,
  request: Pick<FastifyRequest, 'isMultipart' | 'parts' | 'caller' | 'ifMatch'>,
  userId: string,
) {
  const { caller, ifMatch } = request
  const originalKey = newId()
  const { type } = await storeUpload(app, originalKey, request, MAX_BYTES, avatarErrors.avatar_too_large)
  try {
    if (!TYPES.test(type)) throw avatarErrors.not_an_image()
    return await caller.transaction(async tx => {
      const before = await findAvatar(tx, { userId })
      if (before || ifMatch !== null) requireVersion(orNotFound(before), ifMatch)
      const avatar = orNotFound(await upsertAvatar(tx, { userId, originalKey }))
      await record(tx, caller, avatarEvents.changed, reference(avatar))
      await app.jobs.enqueue(tx, processAvatar, { userId, originalKey }, caller.traceparent)
      return avatar
    })
  } catch (error) {
    if (error instanceof AppError && error.status < 500) await app.storage.remove(originalKey)
    throw error
  }
}

/** The bytes are collected with the other orphans of the storage. Throws `not_found`, `precondition_failed`. */
export const removeAvatar = (caller: Caller, userId: string, ifMatch: number[] | null) =>
  caller.transaction(async tx => {
    const avatar = orPreconditionFailed(await deleteAvatarRow(tx, { userId, ifMatch }), ifMatch)
    await record(tx, caller, avatarEvents.removed, reference(avatar))
  })
