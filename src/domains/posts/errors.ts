import { defineErrors } from '../../lib/errors.ts'

export const postErrors = defineErrors({
  post_of_somebody_else: {
    status: 403,
    title: 'Only the author or an admin can do that',
    help: 'A post is changed by its author or an admin of the organization; a moderator may only delete it. Ask one of them.',
  },
  post_slug_taken: {
    status: 409,
    title: 'Slug already in use',
    constraint: 'posts_slug_key',
    help: 'Another post of the organization has this slug. Choose another, or leave it out and one is made from the title.',
  },
})
