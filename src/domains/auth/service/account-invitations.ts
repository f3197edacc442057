import type { FastifyInstance } from 'fastify'
import type { Caller } from '../../../events/caller.ts'
import { record } from '../../../events/record.ts'
import { orNotFound } from '../../../lib/errors.ts'
import { newId } from '../../../lib/ids.ts'
import { userEvents } from '../../users/events.ts'
import { updateUserRow } from '../../users/queries/admins.ts'
import { insertUser } from '../../users/queries/users.ts'
import { authErrors } from '../errors.ts'
import { sendAccountInvitation } from '../jobs.ts'
import type { CreateUser } from '../schemas/accounts.ts'

/** Makes an account without a password; its owner gets a mail to choose one. Throws `email_taken`, `rate_limited`. */
export async function createUser(app: FastifyInstance, caller: Caller, { email, name, role = 'user' }: CreateUser) {
  await app.limitMails(email)
  return caller.transaction(async tx => {
    const account = { id: newId(), email: email.toLowerCase(), name, passwordHash: null }
    const created = await insertUser(tx, account)
    if (!created) throw authErrors.email_taken()
    const change = { id: created.id, name: null, role, status: null, ifMatch: null }
    const user = role === created.role ? created : orNotFound(await updateUserRow(tx, change))
    await record(tx, caller, userEvents.invited, user)
    await app.jobs.enqueue(tx, sendAccountInvitation, { userId: user.id }, caller.traceparent)
    return user
  })
}
