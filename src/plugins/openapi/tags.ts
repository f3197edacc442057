import type { EventType } from '../../events/registry.ts'
import type { Domain } from '../domains.ts'
import type { Tag } from './operation.ts'

const HEALTH: Tag = { name: 'health', description: 'Whether the process answers and gets traffic, for balancers.' }

/** Returns the tags in the order of the domains; the tag `events` also lists the event types. */
export const tagsOf = (domains: readonly Domain[], events: ReadonlyMap<string, EventType<never>>): Tag[] =>
  [HEALTH, ...domains.map(({ tag }) => tag)].map(({ name, description }) => ({
    name,
    description: name === 'events' ? `${description}\n\n${tableOf(events)}` : description,
  }))

/** A table of event types and the fields of their `data`, for readers of the document. */
function tableOf(events: ReadonlyMap<string, EventType<never>>): string {
  const rows = [...events.values()].map(({ name, schema }) => {
    const fields = Object.keys(schema.properties).map(field => `\`${field}\``)
    return `| \`${name}\` | ${fields.join(', ')} |`
  })
  return ['| `type` | `data` |', '| --- | --- |', ...rows].join('\n')
}
