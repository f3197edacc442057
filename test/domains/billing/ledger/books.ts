import { randomUUID } from 'node:crypto'
import { createOrganization, createUser } from '../../../helpers/actors.ts'
import type { TestApp } from '../../../helpers/app.ts'
import { type Credentials, call } from '../../../helpers/call.ts'

export const move = (fromAccountId: string, toAccountId: string, amountCents: number, currency = 'EUR') => ({
  fromAccountId,
  toAccountId,
  amountCents,
  currency,
})

/** What a test does with the books of organizations. */
export async function bookkeeping(test: TestApp) {
  const { app, sql } = test
  const platformAdmin = await createUser(test, { role: 'admin' })
  const post = (path: string, as: Credentials, body?: object, key: string = randomUUID()) =>
    call(app, `POST ${path}`, { as, ...(body && { body }), headers: { 'idempotency-key': key } })
  const transfer = (as: Credentials, body: object, key?: string) => post('/transfers', as, body, key)
  const open = async (organizationId: string, more: object = {}): Promise<string> =>
    (await post(`/organizations/${organizationId}/accounts`, platformAdmin, { currency: 'EUR', ...more })).body.id

  return {
    platformAdmin,
    post,
    transfer,
    open,
    account: async (id: string) =>
      (
        await sql(
          'select balance_cents::float8 as balance, held_cents::float8 as held, entry_count::int as entries from accounts where id = $1',
          [id],
        )
      )[0],
    /** An organization with a bank and two accounts, of which the first has `cents`. */
    async books({ cents = 1_000 } = {}) {
      const organization = await createOrganization(test)
      const bank = await open(organization.id, { kind: 'system' })
      const [cash, reserve] = [await open(organization.id), await open(organization.id)]
      if (cents > 0) await transfer(platformAdmin, move(bank, cash, cents))
      return { ...organization, organization, bank, cash, reserve }
    },
  }
}

/** Returns what is wrong with the books: nothing may ever be. */
export async function faultsOf({ sql }: TestApp): Promise<string[]> {
  const rows = await sql(`
    select 'account ' || a.id as fault from accounts a where
      a.balance_cents <> (select coalesce(sum(e.amount_cents), 0) from entries e where e.account_id = a.id)
      or a.entry_count <> (select coalesce(max(e.seq), 0) from entries e where e.account_id = a.id)
      or a.held_cents <> (select coalesce(sum(h.amount_cents), 0) from holds h where h.account_id = a.id and h.status = 'held')
      or (a.kind = 'normal' and a.balance_cents < a.held_cents)
    union all select 'transfer ' || transfer_id from entries group by transfer_id having sum(amount_cents) <> 0 or count(*) <> 2
    union all select 'sum ' || currency from accounts group by organization_id, currency having sum(balance_cents) <> 0`)
  return rows.map(({ fault }: { fault: string }) => fault)
}
