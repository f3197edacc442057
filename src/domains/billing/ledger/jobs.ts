import type { FastifyInstance } from 'fastify'
import { defineJob } from '../../../jobs/define.ts'
import { expireHolds } from './service/holds.ts'
import { reconcile } from './service/reconciliation.ts'

const reconcileLedger = defineJob<Record<string, never>>('ledger.reconcile')
const expire = defineJob<Record<string, never>>('ledger.expire_holds')
const EVERY_MINUTE = '* * * * *'
const DAILY = '23 2 * * *'

export function registerLedgerJobs({ jobs, log }: FastifyInstance): void {
  jobs.handle(reconcileLedger, async (_payload, tx) => void (await reconcile(tx, log)))
  jobs.schedule(reconcileLedger, DAILY, {})
  jobs.handle(expire, async (_payload, tx) => {
    if (await expireHolds(tx)) await jobs.enqueue(tx, expire, {})
  })
  jobs.schedule(expire, EVERY_MINUTE, {})
}
