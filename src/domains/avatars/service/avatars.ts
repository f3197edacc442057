import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { Caller } from '../../../events/caller.ts'
import { record } from '../../../events/record.ts'
import { orNotFound, orPreconditionFailed, requireVersion } from '../../../lib/errors.ts'
import { avatarErrors } from '../errors.ts'
import { avatarEvents } from '../events.ts'
import { processAvatar } from '../jobs.ts'
import { deleteAvatarRow, findAvatar, upsertAvatar } from '../queries.ts'
import type { Avatar } from '../schemas.ts'

const TYPES = /^image\/(jpeg|png|webp|gif|avif)$/

const reference = ({ userId, status }: Avatar) => ({ id: userId, userId, status })

/** Keeps an image and enqueues the making of its sizes. Throws `not_an_image`, `precondition_failed`. */
export const changeAvatar = (
  { jobs }: FastifyInstance,
  caller: Caller,
  userId: string,
  { key: originalKey, type }: FastifyRequest['upload'],
  ifMatch: number[] | null,
) =>
  caller.transaction(async tx => {
    if (!TYPES.test(type)) throw avatarErrors.not_an_image()
    const before = await findAvatar(tx, { userId })
    if (before || ifMatch !== null) requireVersion(orNotFound(before), ifMatch)
    const avatar = orNotFound(await upsertAvatar(tx, { userId, originalKey }))
    await record(tx, caller, avatarEvents.changed, reference(avatar))
    await jobs.enqueue(tx, processAvatar, { userId, originalKey }, caller.traceparent)
    return avatar
  })

/** The bytes are collected with the other orphans of the storage. Throws `not_found`, `precondition_failed`. */
export const removeAvatar = (caller: Caller, userId: string, ifMatch: number[] | null) =>
  caller.transaction(async tx => {
    const avatar = orPreconditionFailed(await deleteAvatarRow(tx, { userId, ifMatch }), ifMatch)
    await record(tx, caller, avatarEvents.removed, reference(avatar))
  })
