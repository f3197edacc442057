import type { Domain } from '../../plugins/domains.ts'
import { auditRoutes } from './routes.ts'

/** This domain only reads events; every domain records its own. */
export const audit: Domain = {
  name: 'audit',
  tag: { name: 'events', description: 'The log of everything that changed: as a list, a feed and a stream.' },
  scopes: { 'events:read': 'Read the events of the organization.' },
  register: async app => void (await app.register(auditRoutes)),
}
