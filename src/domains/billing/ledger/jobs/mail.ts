import { defineJob } from '../../../../jobs/define.ts'

/** Tells one admin of the platform what was found: a line for each difference. */
export const sendDifferences = defineJob<{ userId: string; lines: string[]; count: number }>('ledger.differences_mail')
