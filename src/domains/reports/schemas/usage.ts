import { type Static, Type } from '@sinclair/typebox'
import { Closed, Id, Timestamp } from '../../../lib/schema.ts'

const Count = (description: string, example: number) => Type.Integer({ minimum: 0, description, examples: [example] })

export const UsageDay = Type.Object(
  {
    day: Type.String({ description: 'A day of UTC.', examples: ['2026-01-31'] }),
    requests: Count('Requests with an API key of the organization; of the last ten seconds some may be missing.', 1200),
    activeUsers: Count('People who changed something.', 4),
    tasksCreated: Count('Tasks that were created.', 12),
    tasksCompleted: Count('Tasks that were completed.', 9),
    tokens: Count('Tokens of the assistant, read and written.', 3500),
    storageBytes: Count('Bytes of all files at the end of the day, or now.', 1_048_576),
  },
  { title: 'UsageDay', description: 'What an organization has used on a day.' },
)
export type UsageDay = Static<typeof UsageDay>

export const Usage = Type.Object(
  {
    organizationId: Id,
    from: { ...Timestamp, description: 'The beginning of the first day.' },
    to: { ...Timestamp, description: 'The beginning of the last day.' },
    days: Type.Array(UsageDay, { description: 'Every day, the oldest first.' }),
  },
  { title: 'Usage', description: 'What an organization has used, day by day.' },
)
export type Usage = Static<typeof Usage>

export const UsageQuery = Closed({
  from: Type.Optional({
    ...Timestamp,
    description: 'The day of this time is the first; 29 days before `to` if left out.',
  }),
  to: Type.Optional({ ...Timestamp, description: 'The day of this time is the last; today if left out.' }),
})
export type UsageQuery = Static<typeof UsageQuery>
