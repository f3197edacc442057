import { defineErrors } from '../../lib/errors.ts'

export const streamErrors = defineErrors({
  too_many_streams: {
    status: 429,
    title: 'Too many open streams',
    retryAfter: 5,
    help: 'This user or API key has as many event streams open as one may have. Close those that nobody reads, or share one among those who do; then open the next.',
  },
})
