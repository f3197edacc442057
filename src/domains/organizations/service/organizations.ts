import type { Caller } from '../../../events/caller.ts'
import { record } from '../../../events/record.ts'
import type { UserActor } from '../../../lib/access.ts'
import { found, matched } from '../../../lib/errors.ts'
import { newId } from '../../../lib/ids.ts'
import { organizationEvents } from '../events.ts'
import {
  deleteOrganization,
  findOrganization,
  insertOrganization,
  updateOrganization,
} from '../queries/organizations.ts'
import type { CreateOrganization, UpdateOrganization } from '../schemas/organizations.ts'

const SLUG_CHARACTERS = 40
const SUFFIX_CHARACTERS = 8

/** `Analytical Engines Ltd` → `analytical-engines-ltd-1a2b3c4d`: the end of the id makes it unique. */
function slugOf(name: string, id: string): string {
  const words = name
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .toLowerCase()
    .match(/[a-z0-9]+/g) ?? ['organization']
  return `${words.join('-').slice(0, SLUG_CHARACTERS).replace(/-$/, '')}-${id.slice(-SUFFIX_CHARACTERS)}`
}

/** The caller becomes its owner. Throws `slug_taken`. */
export const createOrganization = (caller: Caller, { id: userId }: UserActor, { name, slug }: CreateOrganization) =>
  caller.transaction(async tx => {
    const id = newId()
    const organization = found(await insertOrganization(tx, { id, name, slug: slug ?? slugOf(name, id), userId }))
    await record(tx, caller, organizationEvents.created, inItself(organization))
    return organization
  })

/** Throws `slug_taken`, `precondition_failed`. */
export const changeOrganization = (
  caller: Caller,
  id: string,
  { name, slug }: UpdateOrganization,
  ifMatch: number[] | null,
) =>
  caller.transaction(async tx => {
    const change = { id, name: name ?? null, slug: slug ?? null, ifMatch }
    const organization = matched(await updateOrganization(tx, change), ifMatch)
    await record(tx, caller, organizationEvents.updated, inItself(organization))
    return found(await findOrganization(tx, { id, userId: caller.actor.id }))
  })

/** Takes everything in it along. Throws `precondition_failed`. */
export const removeOrganization = (caller: Caller, id: string, ifMatch: number[] | null) =>
  caller.transaction(async tx => {
    const organization = matched(await deleteOrganization(tx, { id, ifMatch }), ifMatch)
    await record(tx, caller, organizationEvents.deleted, inItself(organization))
  })

const inItself = <T extends { id: string }>(organization: T) => ({ ...organization, organizationId: organization.id })
