import type { FastifyInstance } from 'fastify'
import { defineJob } from '../../../../jobs/define.ts'
import { mailDifferences } from '../service/differences.ts'
import { expireHolds } from '../service/holds.ts'
import { reconcileBooks } from '../service/reconciliation.ts'
import { sendDifferences } from './mail.ts'

/** All entries are read, some 100,000 a second. */
const RECONCILE_SECONDS = 3_600
const reconcile = defineJob<Record<string, never>>('ledger.reconcile', { expireSeconds: RECONCILE_SECONDS })
const expire = defineJob<Record<string, never>>('ledger.expire_holds')
const DAILY = '23 2 * * *'
const EVERY_MINUTE = '* * * * *'

export function registerLedgerJobs(app: FastifyInstance): void {
  const { jobs } = app
  // Outside a transaction: it takes long, and what was posted cannot change meanwhile.
  jobs.handleOutside(reconcile, async () => void (await reconcileBooks(app)))
  jobs.schedule(reconcile, DAILY, {})
  jobs.handleOutside(sendDifferences, payload => mailDifferences(app, payload))
  jobs.handle(expire, async (_payload, tx) => {
    if (await expireHolds(tx)) await jobs.enqueue(tx, expire, {})
  })
  jobs.schedule(expire, EVERY_MINUTE, {})
}
