import type { Domain } from '../../plugins/domains.ts'
import { demoAttachmentId, insertDemoAttachments } from './demo.ts'
import { attachmentRoutes } from './routes.ts'
import { attachments as table } from './tables.ts'

export const attachments: Domain = {
  name: 'attachments',
  tag: { name: 'attachments', description: 'Files at tasks, posts and messages.' },
  tenantTables: [{ table, resource: 'attachment' }],
  demo: { ids: { attachments: demoAttachmentId }, insert: insertDemoAttachments },
  register: async app => void (await app.register(attachmentRoutes)),
}
