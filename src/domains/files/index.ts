import type { Domain } from '../../plugins/domains.ts'
import { demoFileId, insertDemoFile } from './demo.ts'
import { registerFileJobs } from './jobs.ts'
import { findKept } from './queries.ts'
import { fileRoutes, uploadRoutes } from './routes.ts'
import { fileUsage, files as table } from './tables.ts'

export const files: Domain = {
  name: 'files',
  tag: { name: 'files', description: 'Files of an organization.' },
  scopes: { 'files:read': 'Read files.', 'files:write': 'Upload and delete files.' },
  tenantTables: [{ table, resource: 'file' }, { table: fileUsage }],
  demo: { ids: { files: demoFileId }, insert: insertDemoFile },
  async register(app, config) {
    await app.register(uploadRoutes, config)
    await app.register(fileRoutes)
    app.storedKeys.define(ids => findKept(app.database, { ids }))
    registerFileJobs(app)
  },
}
