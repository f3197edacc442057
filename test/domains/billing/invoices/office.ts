import { createOrganization } from '../../../helpers/actors.ts'
import type { TestApp } from '../../../helpers/app.ts'
import { call } from '../../../helpers/call.ts'

export const line = { description: 'Handbook', quantity: 2, unitAmountCents: 2_900, taxBasisPoints: 1_900 }
export const draft = {
  customerName: 'Łódź Książki',
  customerEmail: 'office@example.com',
  currency: 'EUR',
  lines: [line],
}

/** An organization that writes invoices of 2 × 29.00 EUR and 19 % tax. */
export async function openOffice(test: TestApp) {
  const { app, sql } = test
  const organization = await createOrganization(test)
  const send = (path: string, body?: unknown, as = organization.admin) =>
    call(app, path, {
      as,
      headers: { 'idempotency-key': crypto.randomUUID() },
      ...(body === undefined ? {} : { body }),
    })
  const create = async (more = {}) =>
    (await send(`POST /organizations/${organization.id}/invoices`, { ...draft, ...more })).body
  const act = (id: string, action: string, body?: unknown, as = organization.admin) =>
    send(`POST /invoices/${id}/${action}`, body, as)
  return {
    organization,
    send,
    create,
    act,
    read: async (path: string) => (await call(app, `GET ${path}`, { as: organization.viewer })).body,
    issued: async (more = {}) => (await act((await create(more)).id, 'issue')).body,
    events: async (id: string): Promise<string[]> =>
      (await sql('select type from events where target_id = $1 order by seq', [id])).map(
        ({ type }: { type: string }) => type,
      ),
  }
}
