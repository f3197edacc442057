import { sql } from 'drizzle-orm'
import { one, type Params, statement } from '../../database/statement.ts'
import { sandboxPayments, sandboxRefunds } from './tables.ts'

interface Known {
  id: string
  method: string
  status: string
  amountCents: number
  refundedCents: number
  /** How often money was taken. */
  charges: number
}

export const insertSandboxPayment = statement(
  'sandbox.insert',
  (_, $: Params<{ id: string; method: string; amountCents: number }>) => sql`
    insert into ${sandboxPayments} (id, method, amount_cents) values (${$.id}, ${$.method}, ${$.amountCents})
    on conflict do nothing`,
)

export const findSandboxPayment = one(
  statement(
    'sandbox.find',
    (_, $: Params<{ id: string }>) =>
      sql<Known>`select id, method, status, amount_cents, refunded_cents, charges from ${sandboxPayments} where id = ${$.id}`,
  ),
)

/** Moves a payment from one status to the next; a success takes the money. */
export const moveSandboxPayment = one(
  statement(
    'sandbox.move',
    (_, $: Params<{ id: string; from: string; to: string }>) => sql<Known>`
      update ${sandboxPayments} set status = ${$.to}, charges = charges + (${$.to} = 'succeeded')::int
      where id = ${$.id} and status = ${$.from} returning id, method, status, amount_cents, refunded_cents, charges`,
  ),
)

/** Pays back once for each id, and never more than was taken; returns nothing when it does not. */
export const insertSandboxRefund = one(
  statement(
    'sandbox.refund',
    (_, $: Params<{ id: string; paymentId: string; amountCents: number }>) => sql<{ id: string }>`
      with refunded as (
        insert into ${sandboxRefunds} (id, payment_id, amount_cents)
        values (${$.id}, ${$.paymentId}, ${$.amountCents}) on conflict do nothing returning payment_id, amount_cents
      )
      update ${sandboxPayments} p set refunded_cents = p.refunded_cents + r.amount_cents
      from refunded r where p.id = r.payment_id returning p.id`,
  ),
)
