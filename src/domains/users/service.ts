import type { Caller } from '../../events/caller.ts'
import { record } from '../../events/record.ts'
import { orPreconditionFailed } from '../../lib/errors.ts'
import { userEvents } from './events.ts'
import { findMe, updateProfile, updateSettings, updateUser } from './queries/users.ts'
import type { UpdateMe } from './schemas.ts'

/** Throws `precondition_failed`. */
export const updateMe = (caller: Caller, id: string, { name, profile, settings }: UpdateMe, ifMatch: number[] | null) =>
  caller.transaction(async tx => {
    const user = orPreconditionFailed(await updateUser(tx, { id, name: name ?? null, ifMatch }), ifMatch)
    if (profile) await updateProfile(tx, Object.keys(profile), { userId: id, ...profile })
    if (settings) await updateSettings(tx, Object.keys(settings), { userId: id, ...settings })
    await record(tx, caller, userEvents.updated, user)
    return findMe(tx, { id })
  })
