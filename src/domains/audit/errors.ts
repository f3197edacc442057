import { defineErrors, invalidParameter } from '../../lib/errors.ts'

export const auditErrors = defineErrors({
  cursor_expired: {
    status: 410,
    title: 'Cursor points to deleted events',
    help: 'Events are deleted after a time that the operator sets, and some that follow this cursor may be gone. Read the current state of what you keep, then start without a cursor.',
  },
})

/** An API key belongs to one organization; a user must name it. */
export const organizationMissing = () => invalidParameter('organizationId', 'is required of a user')
