import { defineErrors } from '../../lib/errors.ts'

export const commentErrors = defineErrors({
  not_the_author: {
    status: 403,
    title: 'Only the author can do that',
    help: 'A comment is edited by who wrote it, and deleted by its author, an admin of the organization or a moderator. Ask one of them.',
  },
})
