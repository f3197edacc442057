import { defineErrors } from '../../lib/errors.ts'

export const fileErrors = defineErrors({
  file_too_large: {
    status: 413,
    title: 'File too large',
    help: 'The file has more bytes than this service takes, and nothing of it was kept. Send a smaller one.',
  },
  storage_quota_exceeded: {
    status: 409,
    title: 'No room left',
    help: 'With this file, the files of the organization would be larger than its quota. Delete files that are no longer needed: their room is free at once.',
  },
})
