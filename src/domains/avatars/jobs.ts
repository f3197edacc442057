import type { FastifyInstance } from 'fastify'
import { defineJob } from '../../jobs/define.ts'
import { makeImages } from './service/images.ts'

/** An image that brings the process down is tried a few times and then left. */
export const processAvatar = defineJob<{ userId: string; originalKey: string }>('avatars.process', {
  retry: { limit: 3 },
})

export function registerAvatarJobs(app: FastifyInstance): void {
  app.jobs.handleOutside(processAvatar, upload => makeImages(app, upload))
}
