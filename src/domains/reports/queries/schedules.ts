import { sql } from 'drizzle-orm'
import { defineList } from '../../../database/list.ts'
import { Schedule } from '../schemas/schedules.ts'

const byName = { on: sql`s.name collate "C"`, key: 'name', type: 'text' } as const

/** The tables belong to the job library. The jobs of a schedule are kept for some days. */
export const listSchedules = defineList<Schedule>({
  name: 'schedules.list',
  item: Schedule,
  columns: sql`s.name, s.cron, j.state, j.started_on as started_at, j.completed_on as completed_at`,
  from: sql`jobs.schedule s
    left join lateral (
      select state::text, started_on, completed_on from jobs.job
      where name = s.name and started_on is not null order by started_on desc limit 1) j on true`,
  where: () => sql`true`,
  id: byName,
  sorts: { name: byName },
  defaultSort: 'name',
})
