import type { FastifyInstance } from 'fastify'
import { defineJob } from '../../jobs/define.ts'
import { publishDue } from './service/publication.ts'

export const publishScheduledPost = defineJob<{ postId: string }>('posts.publish')

export function registerPostJobs({ jobs }: FastifyInstance): void {
  jobs.handle(publishScheduledPost, ({ postId }, tx) => publishDue(tx, postId))
}
