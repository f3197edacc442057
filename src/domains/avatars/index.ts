import type { Domain } from '../../plugins/domains.ts'
import { registerAvatarJobs } from './jobs.ts'
import { findStoredKeys } from './queries.ts'
import { avatarRoutes } from './routes.ts'

export const avatars: Domain = {
  name: 'avatars',
  tag: { name: 'avatars', description: 'Pictures of users.' },
  async register(app) {
    app.storedKeys.define(ids => findStoredKeys(app.database, { ids }))
    await app.register(avatarRoutes)
    registerAvatarJobs(app)
  },
}
