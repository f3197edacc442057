import { defineEvents } from '../../events/registry.ts'
import { Post } from './schemas.ts'

export const postEvents = defineEvents('post', {
  created: Post,
  updated: Post,
  scheduled: Post,
  published: Post,
  unpublished: Post,
  archived: Post,
  deleted: Post,
})
