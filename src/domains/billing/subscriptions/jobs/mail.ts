import { defineJob } from '../../../../jobs/define.ts'

export const mailNotice = defineJob<{ subscriptionId: string; failedCharges: number }>('subscriptions.mail')
