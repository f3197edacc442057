import type { FastifyInstance } from 'fastify'
import type { Caller } from '../../../events/caller.ts'
import { record } from '../../../events/record.ts'
import type { UserActor } from '../../../lib/access.ts'
import { orNotFound, orPreconditionFailed } from '../../../lib/errors.ts'
import { newId } from '../../../lib/ids.ts'
import { slugOf } from '../../../lib/slug.ts'
import { organizationErrors } from '../errors.ts'
import { memberEvents, organizationEvents } from '../events.ts'
import { continueDeletion } from '../jobs.ts'
import { insertDeletion } from '../queries/deletions.ts'
import { findOwners } from '../queries/members.ts'
import {
  findOrganization,
  insertOrganization,
  lockOrganizationToDelete,
  markDeleted,
  updateOrganizationRow,
} from '../queries/organizations.ts'
import type { CreateOrganization, UpdateOrganization } from '../schemas/organizations.ts'

/** Creates an organization with the caller as its owner. Throws `slug_taken`. */
export const createOrganization = (caller: Caller, { id: userId }: UserActor, { name, slug }: CreateOrganization) =>
  caller.transaction(async tx => {
    const id = newId()
    const organization = orNotFound(
      await insertOrganization(tx, { id, name, slug: slug ?? slugOf(name, id, 'organization'), userId }),
    )
    await record(tx, caller, organizationEvents.created, inItself(organization))
    await record(tx, caller, memberEvents.added, { id: userId, userId, organizationId: id, role: 'owner' })
    return organization
  })

/** Throws `slug_taken`, `precondition_failed`. */
export const updateOrganization = (
  caller: Caller,
  id: string,
  { name, slug }: UpdateOrganization,
  ifMatch: number[] | null,
) =>
  caller.transaction(async tx => {
    const change = { id, name: name ?? null, slug: slug ?? null, ifMatch }
    const organization = orPreconditionFailed(await updateOrganizationRow(tx, change), ifMatch)
    await record(tx, caller, organizationEvents.updated, inItself(organization))
    return orNotFound(await findOrganization(tx, { id, userId: caller.actor.id }))
  })

/**
 * Removes all access with the commit and frees the slug; a job erases the remaining rows. Throws `not_found`,
 * `owner_required`, `precondition_failed`.
 */
export const deleteOrganization = (app: FastifyInstance, caller: Caller, id: string, ifMatch: number[] | null) =>
  caller.transaction(async tx => {
    orNotFound(await lockOrganizationToDelete(tx, { id }))
    const owners = await findOwners(tx, { organizationId: id })
    if (!owners.some(({ userId }) => userId === caller.actor.id)) throw organizationErrors.owner_required()
    const organization = orPreconditionFailed(await markDeleted(tx, { id, ifMatch }), ifMatch)
    for (const { grantsAccess, erase } of app.tenancy.erasableRows) if (grantsAccess) await erase(tx, id, null)
    await record(tx, caller, organizationEvents.deleted, inItself(organization))
    const row = { id: newId(), organizationId: id, requestedBy: caller.actor.id }
    const deletion = orNotFound(await insertDeletion(tx, row))
    await app.jobs.enqueue(tx, continueDeletion, { deletionId: deletion.id }, caller.traceparent)
    return deletion
  })

const inItself = <T extends { id: string }>(organization: T) => ({ ...organization, organizationId: organization.id })
