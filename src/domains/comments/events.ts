import { defineEvents } from '../../events/registry.ts'
import { Comment } from './schemas.ts'

export const commentEvents = defineEvents('comment', { created: Comment, updated: Comment, deleted: Comment })
