import type { Domain } from '../../plugins/domains.ts'
import { registerReportJobs } from './jobs.ts'
import { reportRoutes } from './routes.ts'
import { keepRequestCounts } from './service/requests.ts'
import { usageDays, usageRequests } from './tables.ts'

export const reports: Domain = {
  name: 'reports',
  tag: { name: 'reports', description: 'Numbers by day.' },
  scopes: { 'usage:read': 'Read what the organization has used.' },
  tenantTables: [{ table: usageDays }, { table: usageRequests }],
  register: async app => {
    registerReportJobs(app)
    keepRequestCounts(app)
    await app.register(reportRoutes)
  },
}
