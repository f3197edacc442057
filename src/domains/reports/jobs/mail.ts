import { defineJob } from '../../../jobs/define.ts'

export const sendDigest = defineJob<{ userId: string; day: string }>('reports.digest_mail')
export const sendReminder = defineJob<{ taskId: string; dueAt: string }>('reports.reminder_mail')
