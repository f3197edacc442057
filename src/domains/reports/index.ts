import type { Domain } from '../../plugins/domains.ts'
import { registerReportJobs } from './jobs/register.ts'
import { unsubscribePage } from './routes/pages.ts'
import { scheduleRoutes } from './routes/schedules.ts'
import { reportRoutes } from './routes/usage.ts'
import { keepRequestCounts } from './service/requests.ts'
import { usageDays, usageRequests } from './tables.ts'

export const reports: Domain = {
  name: 'reports',
  tag: { name: 'reports', description: 'Numbers by day, mails by the clock, and the jobs behind them.' },
  scopes: { 'usage:read': 'Read what the organization has used.' },
  tenantTables: [{ table: usageDays }, { table: usageRequests }],
  demo: { ids: { schedules: 'reports.keep_usage' } },
  async register(app, { publicUrl }) {
    registerReportJobs(app, publicUrl)
    keepRequestCounts(app)
    await app.register(reportRoutes)
    await app.register(scheduleRoutes)
    await unsubscribePage(app)
  },
}
