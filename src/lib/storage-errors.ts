import { defineErrors } from './errors.ts'

export const storageErrors = defineErrors({
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
  upload_differs: {
    status: 422,
    title: 'The bytes are not those that were announced',
    help: 'The number of bytes or their SHA-256 is not what the upload was created with, and nothing of them was kept. Send the file as it was measured, or create another upload.',
  },
  storage_unavailable: {
    status: 503,
    title: 'The storage does not answer',
    help: 'The store of the files is away or refuses this service. Repeat the request later; the log has the cause.',
    retryAfter: 5,
  },
  range_not_satisfiable: {
    status: 416,
    title: 'The file has no such bytes',
    help: 'The `Range` begins after the end of the file; `Content-Range` says how long it is. Ask for bytes within it.',
  },
  signed_url_not_valid: {
    status: 403,
    title: 'The signed URL is not valid',
    help: 'A signed URL is good for one file and one method until it expires, and this one has expired or was changed. Ask for a new one at `POST /api/v1/files/{id}/url`, or create another upload.',
  },
})
