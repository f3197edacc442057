import { defineErrors } from '../../../lib/errors.ts'

export const subscriptionErrors = defineErrors({
  subscription_not_active: {
    status: 409,
    title: 'The subscription is not active',
    help: 'Only a subscription that is active or in its trial is changed or paused. Pay what is due, or resume it first.',
  },
  subscription_canceled: {
    status: 409,
    title: 'The subscription is over',
    help: 'A canceled subscription does not come back. Start another one.',
  },
  subscription_not_stopped: {
    status: 409,
    title: 'The subscription is running',
    help: 'There is nothing to resume: it is neither paused nor about to end with its period. Read it again.',
  },
})
