import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { platform } from '../../../lib/access.ts'
import { orNotFound, requestErrors } from '../../../lib/errors.ts'
import { Nothing } from '../../../lib/schema.ts'
import { route } from '../../../plugins/routes.ts'
import { listSchedules } from '../queries/schedules.ts'
import { ScheduleList, ScheduleParams, SchedulesQuery } from '../schemas/schedules.ts'

export const scheduleRoutes: FastifyPluginAsyncTypebox = async app => {
  route(app, {
    method: 'GET',
    url: '/platform/schedules',
    config: { access: platform('admin') },
    schema: {
      operationId: 'listSchedules',
      summary: 'The jobs that run by the clock, and their last runs',
      querystring: SchedulesQuery,
      response: { 200: ScheduleList },
    },
    handler: async ({ query }) => orNotFound(await listSchedules(app.database, {}, {}, query)),
  })

  route(app, {
    method: 'POST',
    url: '/platform/schedules/:name/run',
    config: { access: platform('admin'), affects: ['jobs.job'], records: [] },
    schema: {
      operationId: 'runSchedule',
      summary: 'Run a scheduled job now, besides its times',
      description: 'The job is done by a worker, some seconds later.',
      params: ScheduleParams,
      response: { 202: Nothing },
    },
    async handler({ caller, params: { name } }) {
      if (!app.jobs.isScheduled(name)) throw requestErrors.not_found()
      await caller.transaction(tx => app.jobs.runNow(tx, name, caller.traceparent))
      return undefined
    },
  })
}
