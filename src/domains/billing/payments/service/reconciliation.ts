import type { FastifyInstance } from 'fastify'
import { NIL_ID } from '../../../../lib/ids.ts'
import type { ProviderRecord } from '../../../../lib/payment-provider.ts'
import { type Difference, reportDifferences } from '../../ledger/service/differences.ts'
import { paymentEvents } from '../events.ts'
import { type EndedPayment, findEndedPayments } from '../queries.ts'

type App = Pick<FastifyInstance, 'database' | 'jobs' | 'log' | 'payments'>

/** Each day looks at three, so a provider that does not answer for two days is asked all the same. */
const DAYS_MS = 3 * 86_400_000
/** What moves now is left for the next day: the provider and we would be read at different moments. */
const REST_MS = 600_000
/** How many payments the provider is asked for at once. */
const AT_ONCE = 10

/**
 * Compares each payment that has ended lately with the provider's books and with the ledger. Records each difference and
 * tells the admins of the platform. Runs outside every transaction. Returns the differences.
 */
export async function reconcilePayments(app: App, now = Date.now()): Promise<Difference[]> {
  const differences: Difference[] = []
  const until = new Date(now - REST_MS).toISOString()
  let place = { updatedAt: new Date(now - DAYS_MS).toISOString(), id: NIL_ID }
  for (;;) {
    const page = await findEndedPayments(app.database, { ...place, until, limit: AT_ONCE })
    const compared = await Promise.all(page.map(payment => compare(app, payment)))
    differences.push(...compared.filter(difference => difference !== undefined))
    const last = page.at(-1)
    if (!last) break
    place = last
  }
  await reportDifferences(app, differences)
  return differences
}

async function compare({ payments, log }: App, payment: EndedPayment): Promise<Difference | undefined> {
  const { id, reference, provider } = payment
  const asks = reference !== null && provider === payments.name
  try {
    const found = asks ? await payments.record(reference) : undefined
    if (agreesWithLedger(payment, found) && (!asks || agreesWithProvider(payment, found))) return undefined
    return differenceOf(payment, found)
  } catch (error) {
    log.warn({ paymentId: id, reason: (error as Error).message }, 'the provider did not say how a payment stands')
    return undefined
  }
}

/** A refund that is processing may have been paid back already. */
function agreesWithProvider(payment: EndedPayment, found: ProviderRecord | undefined): boolean {
  const { status, amountCents, refundedCents, refundsCents } = payment
  if (!found) return false
  if (status === 'failed') return found.takenCents === found.refundedCents
  return found.takenCents === amountCents && found.refundedCents >= refundsCents && found.refundedCents <= refundedCents
}

function agreesWithLedger(payment: EndedPayment, found: ProviderRecord | undefined): boolean {
  const { status, amountCents, refundsCents, postedCents, postedRefundsCents, postedFeesCents } = payment
  return (
    postedCents === (status === 'succeeded' ? amountCents : 0) &&
    postedRefundsCents === refundsCents &&
    postedFeesCents === (found?.feeCents ?? postedFeesCents)
  )
}

function differenceOf(payment: EndedPayment, found: ProviderRecord | undefined): Difference {
  const { id, status, amountCents, refundsCents, postedCents, postedRefundsCents } = payment
  const provider = {
    takenCents: found?.takenCents ?? null,
    returnedCents: found?.refundedCents ?? null,
    feeCents: found?.feeCents ?? null,
  }
  return {
    type: paymentEvents.unreconciled as Difference['type'],
    data: { ...payment, ...provider },
    line: `payment ${id}: ${status}, ${amountCents} less ${refundsCents}; the provider has ${provider.takenCents} less ${provider.returnedCents}, the ledger ${postedCents} less ${postedRefundsCents}`,
  }
}
