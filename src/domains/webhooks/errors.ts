import { defineErrors } from '../../lib/errors.ts'

export const webhookErrors = defineErrors({
  webhook_limit_reached: {
    status: 409,
    title: 'The organization has as many webhooks as it may have',
    help: 'An organization may have 50 webhooks. Delete one that is not needed, or let one endpoint take more types of events.',
  },
  webhook_disabled: {
    status: 409,
    title: 'The webhook is disabled',
    help: 'Nothing is sent to a webhook that is disabled; `disabledReason` says why it is. Set `enabled` to true, then repeat the request.',
  },
  event_expired: {
    status: 409,
    title: 'The event is no longer kept',
    help: 'The event of the delivery is older than the time for which events are kept, so it cannot be sent again. Read the present state of its target instead.',
  },
})
