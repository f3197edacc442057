import type { FastifyInstance } from 'fastify'
import { defineJob } from '../../../../jobs/define.ts'
import { orNotFound } from '../../../../lib/errors.ts'
import { findDueSubscriptions, findNow } from '../queries.ts'
import { mailFailure } from '../service/notices.ts'
import { advance } from '../service/renewal.ts'
import type { Billing } from '../service/subscriptions.ts'
import { mailNotice } from './mail.ts'

const renewDue = defineJob<Record<string, never>>('subscriptions.renew_due')
const renew = defineJob<{ subscriptionId: string }>('subscriptions.renew')
const EVERY_MINUTE = '* * * * *'
/** In a minute; what is left over is found by the next. */
const MOST = 1_000

export function registerSubscriptionJobs(app: FastifyInstance, { lastResort }: Billing): void {
  const { jobs } = app
  jobs.handle(renewDue, async (_payload, tx) => {
    const { now } = orNotFound(await findNow(tx, {}))
    for (const { id } of await findDueSubscriptions(tx, { now, limit: MOST }))
      await jobs.enqueue(tx, renew, { subscriptionId: id })
  })
  jobs.schedule(renewDue, EVERY_MINUTE, {})
  // One thing in each transaction: a step that fails takes no other period along.
  jobs.handle(renew, async ({ subscriptionId }, tx) => {
    const { now } = orNotFound(await findNow(tx, {}))
    if (await advance(app, tx, subscriptionId, now, lastResort)) await jobs.enqueue(tx, renew, { subscriptionId })
  })
  jobs.handleOutside(mailNotice, ({ subscriptionId, failedCharges }) => mailFailure(app, subscriptionId, failedCharges))
}
