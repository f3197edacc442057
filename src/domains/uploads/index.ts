import type { Domain } from '../../plugins/domains.ts'
import { demoUploadId, insertDemoUpload } from './demo.ts'
import { registerUploadJobs } from './jobs.ts'
import { findAnnounced } from './queries.ts'
import { uploadRoutes } from './routes.ts'
import { uploads as table } from './tables.ts'

export const uploads: Domain = {
  name: 'uploads',
  tag: { name: 'uploads', description: 'Files whose bytes are sent to the storage directly.' },
  tenantTables: [{ table, resource: 'upload' }],
  demo: { ids: { uploads: demoUploadId }, insert: insertDemoUpload },
  async register(app, config) {
    app.storedKeys.define(ids => findAnnounced(app.database, { ids }))
    await app.register(uploadRoutes, config)
    registerUploadJobs(app)
  },
}
