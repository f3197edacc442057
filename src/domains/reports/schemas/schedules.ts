import { type Static, Type } from '@sinclair/typebox'
import { Closed, List, ListQuery, Nullable, StringEnum, Timestamp } from '../../../lib/schema.ts'

const Name = Type.String({
  pattern: '^[a-z]+([.][a-z_]+)+$',
  maxLength: 100,
  description: 'The name of the job.',
  examples: ['reports.keep_usage'],
})

export const Schedule = Type.Object(
  {
    name: Name,
    cron: Type.String({ description: 'When it runs: a cron expression, in UTC.', examples: ['11 0,6 * * *'] }),
    state: Nullable(StringEnum(['created', 'retry', 'active', 'completed', 'cancelled', 'failed']), {
      description: 'What became of the last run; null where none is kept.',
      examples: ['completed'],
    }),
    startedAt: Nullable(Timestamp, { description: 'When the last run began; null where none is kept.' }),
    completedAt: Nullable(Timestamp, { description: 'When it ended; null while it runs, and where none is kept.' }),
  },
  { title: 'Schedule', description: 'A job that runs by the clock, once for all nodes.' },
)
export type Schedule = Static<typeof Schedule>
export const ScheduleList = List(Schedule)
export const SchedulesQuery = ListQuery({}, ['name'])
export const ScheduleParams = Closed({ name: Name })
