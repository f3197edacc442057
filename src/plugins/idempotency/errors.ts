import { defineErrors } from '../../lib/errors.ts'

export const idempotencyErrors = defineErrors({
  idempotency_key_required: {
    status: 400,
    title: 'Idempotency-Key required',
    help: 'Money moves here, so the request must be safe to repeat. Send a fresh random `Idempotency-Key` with each new intent, and the same one on every retry.',
  },
  idempotency_key_invalid: {
    status: 400,
    title: 'Idempotency-Key not valid',
    help: 'The key is empty, too long, or holds something else than visible ASCII. Send 1 to 255 visible ASCII characters, bare or in double quotes.',
  },
  idempotency_key_reused: {
    status: 422,
    title: 'Idempotency-Key used for another request',
    help: 'A key belongs to one method, path, query and body for 24 hours, and this request is another. Use a new key.',
  },
  idempotency_in_progress: {
    status: 409,
    title: 'The first request with this key is still running',
    retryAfter: 1,
    help: 'The first request with this key has not been answered yet. Repeat it after `Retry-After` to get the answer of the first.',
  },
  idempotency_answer_not_kept: {
    status: 409,
    title: 'Already done; the answer held a secret and was not kept',
    help: 'The first request with this key took effect; its answer held a secret and is stored nowhere. If that answer was lost, make a new secret with a new key and revoke the first.',
  },
})
