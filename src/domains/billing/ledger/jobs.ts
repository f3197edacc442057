import type { FastifyInstance } from 'fastify'
import { defineJob } from '../../../jobs/define.ts'
import { reconcile } from './service/reconciliation.ts'

const reconcileLedger = defineJob<Record<string, never>>('ledger.reconcile')
const DAILY = '23 2 * * *'

export function registerLedgerJobs({ jobs, log }: FastifyInstance): void {
  jobs.handle(reconcileLedger, async (_payload, tx) => void (await reconcile(tx, log)))
  jobs.schedule(reconcileLedger, DAILY, {})
}
