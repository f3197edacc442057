import type { FastifyInstance } from 'fastify'
import type { Caller } from '../../../../events/caller.ts'
import { record } from '../../../../events/record.ts'
import { type Actor, reachesPlatformRole } from '../../../../lib/access.ts'
import { lacking, orNotFound } from '../../../../lib/errors.ts'
import { newId } from '../../../../lib/ids.ts'
import { memberships } from '../../../organizations/queries/access.ts'
import { accountEvents } from '../events.ts'
import { type AccountRow, insertAccount } from '../queries/accounts.ts'
import type { CreateAccount } from '../schemas.ts'
import { accounts, holds, transfers } from '../tables.ts'

/** The tables are no tenant tables: the books stay when their organization is deleted. */
export function registerLedgerTenancy({ database, tenancy }: FastifyInstance): void {
  tenancy.define('account', memberships(database, accounts, 'organization_id'))
  tenancy.define('hold', memberships(database, holds, 'organization_id'))
  tenancy.define('transfer', memberships(database, transfers, 'organization_id'))
}

/** Money enters and leaves the books through system accounts, so no tenant may use one. */
export const mayUseSystem = (actor: Actor): boolean => actor.type === 'user' && reachesPlatformRole(actor.role, 'admin')

/** Throws `forbidden`. */
export function requireSystemAccess(actor: Actor): void {
  if (!mayUseSystem(actor)) throw lacking('needs the platform role admin: it concerns a system account')
}

/** Throws `forbidden`, `system_account_exists`. */
export function createAccount(
  caller: Caller,
  actor: Actor,
  organizationId: string,
  { currency, name = null, kind = 'normal' }: CreateAccount,
): Promise<AccountRow> {
  if (kind === 'system') requireSystemAccess(actor)
  return caller.transaction(async tx => {
    const account = orNotFound(await insertAccount(tx, { id: newId(), organizationId, kind, currency, name }))
    await record(tx, caller, accountEvents.created, account)
    return account
  })
}
