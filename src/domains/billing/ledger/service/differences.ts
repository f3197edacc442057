import type { FastifyInstance } from 'fastify'
import { bySystem } from '../../../../events/caller.ts'
import { record } from '../../../../events/record.ts'
import { findAdmins } from '../../../users/queries/admins.ts'
import { findUser } from '../../../users/queries/users.ts'
import { sendDifferences } from '../jobs/mail.ts'

type EventType = Parameters<typeof record>[2]

/** What does not agree: the event that says so, and a line for the mail. */
export interface Difference {
  type: EventType
  data: { id: string; organizationId: string | null }
  line: string
}

/** Of many, a mail names the first; all are events. */
const LINES = 20

/** Records each difference, and enqueues a mail to each admin of the platform, in one transaction. */
export async function reportDifferences(
  { database, jobs, log }: Pick<FastifyInstance, 'database' | 'jobs' | 'log'>,
  differences: Difference[],
): Promise<void> {
  const count = differences.length
  if (count === 0) return
  const lines = differences.slice(0, LINES).map(({ line }) => line)
  log.warn({ count, lines }, 'the books do not agree')
  await database.transaction(async tx => {
    for (const { type, data } of differences) await record(tx, bySystem(tx), type, data)
    for (const { id: userId } of await findAdmins(tx, {}))
      await jobs.enqueue(tx, sendDifferences, { userId, lines, count })
  })
}

const text = (lines: string[], count: number): string => `Differences in the books: ${count}

${lines.join('\n')}${count > lines.length ? '\n…' : ''}

Each is an event in the log (GET /audit/events). Nothing was changed; they are found again each day until they are mended.
`

/** Does nothing when the admin has no address any more. */
export async function mailDifferences(
  { database, mail }: Pick<FastifyInstance, 'database' | 'mail'>,
  { userId, lines, count }: { userId: string; lines: string[]; count: number },
): Promise<void> {
  const admin = await findUser(database, { id: userId })
  if (admin?.email) await mail.send({ to: admin.email, subject: 'The books do not agree', text: text(lines, count) })
}
