import type { Domain } from '../../plugins/domains.ts'
import { registerRetention } from './jobs.ts'
import { eventRoutes } from './routes/events.ts'
import { realtimeRoutes } from './routes/realtime.ts'
import { LiveFeed } from './service/feed.ts'
import { defineTopics } from './service/topics.ts'

/** Writes no events: every domain records its own; this one reads them, and deletes old ones. */
export const audit: Domain = {
  name: 'audit',
  tag: { name: 'events', description: 'The log of everything that changed: as a list, a feed, a stream and a socket.' },
  scopes: { 'events:read': 'Read the events of the organization.' },
  async register(app, { eventRetentionDays }) {
    registerRetention(app, eventRetentionDays)
    const feed = new LiveFeed(app)
    defineTopics(app, feed)
    await app.register(eventRoutes, { feed })
    await app.register(realtimeRoutes)
  },
}
