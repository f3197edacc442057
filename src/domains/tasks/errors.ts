import { defineErrors } from '../../lib/errors.ts'

export const taskErrors = defineErrors({
  project_archived: {
    status: 409,
    title: 'The project is archived',
    help: 'An archived project takes no new tasks. Restore it first.',
  },
})
