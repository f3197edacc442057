import type { FastifyInstance } from 'fastify'
import type { Executor } from '../../../../database/executor.ts'
import { orNotFound } from '../../../../lib/errors.ts'
import { NIL_ID } from '../../../../lib/ids.ts'
import { accountEvents, transferEvents } from '../events.ts'
import {
  type Checked,
  checkAccounts,
  findUnbalancedTransfers,
  sumEntries,
  type UnbalancedTransfer,
} from '../queries/reconciliation.ts'
import { type Difference, reportDifferences } from './differences.ts'

/** A statement may take 3 s; these read at most 400,000 entries, which takes a tenth of that. */
const PAGE = { limit: 200, mostEntries: 2_000 }
const ENTRIES_AT_ONCE = 400_000
/** Entries are never changed, so those of a transfer are looked at on the two days after it; the sums include all. */
const DAYS_MS = 2 * 86_400_000
const WINDOW_MS = 300_000

/**
 * Compares every balance with the sum of its entries and of its holds, and the entries of each new transfer with zero.
 * Records each difference and tells the admins of the platform. Returns the differences.
 */
export async function reconcileBooks(app: Pick<FastifyInstance, 'database' | 'jobs' | 'log'>): Promise<Difference[]> {
  const accounts = (await unbalancedAccounts(app.database)).map(ofAccount)
  const transfers = (await unbalancedTransfers(app.database)).map(ofTransfer)
  const differences = [...accounts, ...transfers]
  await reportDifferences(app, differences)
  return differences
}

async function unbalancedAccounts(on: Executor): Promise<Checked[]> {
  const found: Checked[] = []
  for (let after: string | undefined = NIL_ID; after !== undefined; ) {
    const page: Checked[] = await checkAccounts(on, { after, ...PAGE })
    for (const account of page) {
      const whole = account.entriesCents === null ? { ...account, ...(await sumInParts(on, account)) } : account
      if (!isBalanced(whole)) found.push(whole)
    }
    after = page.at(-1)?.id
  }
  return found
}

const isBalanced = (account: Checked): boolean =>
  account.balanceCents === account.entriesCents &&
  account.entryCount === account.entriesCount &&
  account.entryCount === account.lastSeq &&
  account.heldCents === account.holdsCents

async function sumInParts(on: Executor, { id: accountId, entryCount }: Checked) {
  let [entriesCents, entriesCount] = [0, 0]
  for (let after = 0; after < entryCount; after += ENTRIES_AT_ONCE) {
    const upTo = Math.min(after + ENTRIES_AT_ONCE, entryCount)
    const { amountCents, count } = orNotFound(await sumEntries(on, { accountId, after, upTo }))
    entriesCents += amountCents
    entriesCount += count
  }
  return { entriesCents, entriesCount }
}

async function unbalancedTransfers(on: Executor): Promise<UnbalancedTransfer[]> {
  const found: UnbalancedTransfer[] = []
  const now = Date.now()
  const iso = (time: number) => new Date(time).toISOString()
  for (let from = now - DAYS_MS; from <= now; from += WINDOW_MS)
    found.push(...(await findUnbalancedTransfers(on, { from: iso(from), to: iso(from + WINDOW_MS) })))
  return found
}

const ofAccount = (account: Checked): Difference => ({
  type: accountEvents.unbalanced as Difference['type'],
  data: account,
  line: `account ${account.id}: balance ${account.balanceCents}, entries ${account.entriesCents} in ${account.entriesCount} of ${account.entryCount}; held ${account.heldCents}, holds ${account.holdsCents}`,
})

const ofTransfer = (transfer: UnbalancedTransfer): Difference => ({
  type: transferEvents.unbalanced as Difference['type'],
  data: transfer,
  line: `transfer ${transfer.id}: ${transfer.entriesCount} entries add up to ${transfer.entriesCents}`,
})
