import { defineErrors } from '../../lib/errors.ts'

export const idempotencyErrors = defineErrors({
  idempotency_key_required: {
    status: 400,
    title: 'Idempotency-Key required',
    help: 'Money moves here: send a fresh random `Idempotency-Key` with each new intent, and the same one on every retry.',
  },
  idempotency_key_invalid: {
    status: 400,
    title: 'Idempotency-Key not valid',
    help: 'Send 1 to 255 visible ASCII characters, bare or in double quotes.',
  },
  idempotency_key_reused: {
    status: 422,
    title: 'Idempotency-Key used for another request',
    help: 'A key belongs to one method, path, query and body for 24 hours. Use a new key.',
  },
  idempotency_in_progress: {
    status: 409,
    title: 'The first request with this key is still running',
    retryAfter: 1,
    help: 'Repeat it after `Retry-After` to get the answer of the first.',
  },
  idempotency_answer_not_kept: {
    status: 409,
    title: 'Already done; the answer held a secret and was not kept',
    help: 'The first request with this key took effect. Its answer is stored nowhere because it held a secret.',
  },
})
