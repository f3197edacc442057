import { defineErrors } from '../../lib/errors.ts'

export const storageErrors = defineErrors({
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
    help: 'A signed URL is good for one file and one method until it expires, and this one has expired or was changed. Ask for a new one at `POST /api/v1/files/{id}/url`.',
  },
})
