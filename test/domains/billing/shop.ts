import { createOrganization, createUser } from '../../helpers/actors.ts'
import type { TestApp } from '../../helpers/app.ts'
import { call } from '../../helpers/call.ts'
import { eventually } from '../../helpers/mail.ts'

/** A product of 29.00 EUR, 4800 JPY or 9.750 KWD with 19 % tax, and an organization that buys it. */
export async function openShop(test: TestApp) {
  const { app, sql } = test
  const organization = await createOrganization(test)
  const admin = await createUser(test, { role: 'admin' })
  const prices = [
    { currency: 'EUR', amountCents: 2_900 },
    { currency: 'JPY', amountCents: 4_800 },
    { currency: 'KWD', amountCents: 9_750 },
  ]
  /** Repeats with the same key what a busy server refuses, as a client would. */
  async function post(path: string, body?: unknown, as = organization.owner) {
    const headers = { 'idempotency-key': crypto.randomUUID() }
    const send = () => call(app, `POST ${path}`, { as, headers, ...(body === undefined ? {} : { body }) })
    return eventually(async () => {
      const answer = await send()
      return answer.status !== 503 && answer
    }, `${path} is answered`)
  }
  const createProduct = async (more = {}) =>
    (
      await call(app, 'POST /products', {
        as: admin,
        body: { name: 'Handbook', taxBasisPoints: 1900, prices, ...more },
      })
    ).body
  const product = await createProduct()
  const order = (body: object, as = organization.member) => post(`/organizations/${organization.id}/orders`, body, as)
  const read = async (path: string) => (await call(app, `GET ${path}`, { as: organization.owner })).body

  return {
    organization,
    admin,
    product,
    createProduct,
    post,
    order,
    read,
    /** Returns a new order of 2 × 29.00 EUR and tax. */
    newOrder: async () => (await order({ lines: [{ productId: product.id, quantity: 2 }] })).body,
    /** Waits until the payment has the status; the app must work. */
    payment: (id: string, status: string) =>
      eventually(async () => {
        const found = await read(`/payments/${id}`)
        return found.status === status && found
      }, `the payment is ${status}`),
    events: async (id: string): Promise<string[]> =>
      (await sql('select type from events where target_id = $1 order by seq', [id])).map(
        ({ type }: { type: string }) => type,
      ),
  }
}
