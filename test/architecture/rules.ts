import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Import, Source } from './sources.ts'

/** The place of a source or an import target: `domain` with its name and the kind of file, or the folder. */
interface Place {
  layer: string
  domain: string
  kind: string
}

const inLayer = (layer: string): Place => ({ layer, domain: '', kind: '' })

export const KINDS = [
  'index',
  'schemas',
  'tables',
  'queries',
  'routes',
  'service',
  'errors',
  'events',
  'jobs',
  'graphql',
  'demo',
]
/** Packages that reach outside the process; `lib` must not import them. */
const IMPURE = /^(fastify|@fastify\/|pg|drizzle-orm|pg-boss|ioredis)(\/|$)/

export function placeOf(path: string): Place {
  const [root, layer = '', domain = '', ...rest] = path.split('/')
  if (root !== 'src') return inLayer('package')
  if (layer !== 'domains') return inLayer(layer.replace(/\.ts$/, ''))
  if (rest.length === 0) return inLayer('domains')
  const kind = rest.find(part => KINDS.includes(part.replace(/\.ts$/, ''))) ?? (rest.at(-1) as string)
  const name = [domain, ...rest.slice(0, rest.indexOf(kind))].join('/')
  return { layer: 'domain', domain: name, kind: kind.replace(/\.ts$/, '') }
}

/** Layers below the domains, and which layers each may import. `config` is only a shape that every file may get. */
const LAYERS: Record<string, string[]> = {
  lib: ['lib'],
  config: ['lib', 'config'],
  database: ['lib', 'database'],
  events: ['lib', 'database', 'events'],
  jobs: ['lib', 'database', 'events', 'jobs'],
  plugins: ['lib', 'database', 'events', 'jobs', 'plugins', 'config'],
}

interface DomainRule {
  /** Allowed files outside the domains, by path below `src` without extension, or by folder. */
  outside: string[]
  /** The same for type-only imports, which do not exist at run time. */
  types?: string[]
  own: string[]
  earlier: string[]
}

/** The rules for the files of a domain. `lib` imports no other layer, so every file may import it. */
const DOMAIN: Record<string, DomainRule> = {
  schemas: { outside: [], own: [], earlier: ['schemas'] },
  tables: { outside: ['database/columns'], own: [], earlier: ['tables'] },
  queries: {
    outside: [
      'database',
      'events/position',
      'events/record',
      'events/resource',
      'events/tables',
      'plugins/idempotency/queries',
    ],
    types: ['events/caller'],
    own: ['tables', 'queries', 'schemas', 'events'],
    earlier: ['tables', 'queries'],
  },
  service: {
    outside: ['events/record', 'events/caller', 'jobs', 'database/batches', 'database/fast-path/coalesce'],
    types: ['database'],
    own: [...KINDS],
    earlier: ['queries', 'service', 'schemas', 'events'],
  },
  routes: {
    outside: ['plugins/routes', 'plugins/resources'],
    own: ['schemas', 'queries', 'service', 'errors', 'routes'],
    earlier: ['schemas'],
  },
  graphql: {
    outside: ['plugins/graphql/graph'],
    own: ['schemas', 'queries', 'service', 'errors'],
    earlier: ['schemas'],
  },
  jobs: {
    outside: ['jobs/define', 'database/batches'],
    own: ['schemas', 'queries', 'service', 'errors', 'jobs'],
    earlier: [],
  },
  events: { outside: ['events/registry'], own: ['schemas'], earlier: ['schemas'] },
  errors: { outside: [], own: [], earlier: [] },
  demo: {
    outside: ['events/record', 'events/caller'],
    types: ['database'],
    own: [...KINDS],
    earlier: ['queries', 'demo'],
  },
  index: { outside: ['config', 'plugins/domains'], own: [...KINDS], earlier: ['demo'] },
}

/**
 * Returns why the import is not allowed, or undefined. `order` is the list of the domains. The index of a folder of
 * domains lists theirs.
 */
export function faultOf({ path }: Source, { target, typeOnly }: Import, order: string[]): string | undefined {
  const from = placeOf(path)
  const to = placeOf(target)
  if (to.layer === 'package') {
    return from.layer === 'lib' && IMPURE.test(target) ? 'lib is pure: no Fastify, no database' : undefined
  }
  if (from.layer !== 'domain') return faultOfLayer(from.layer, to)
  if (from.kind === 'index' && to.kind === 'index' && to.domain.startsWith(`${from.domain}/`)) return undefined
  const rule = DOMAIN[from.kind]
  if (!rule) return `no rule for ${from.kind}`
  if (to.layer !== 'domain') return outsideFault(rule, target, typeOnly)
  if (to.domain === from.domain)
    return rule.own.includes(to.kind) ? undefined : `${from.kind} may not import ${to.kind}`
  if (order.indexOf(to.domain) >= order.indexOf(from.domain)) return `${to.domain} does not come before ${from.domain}`
  return rule.earlier.includes(to.kind) ? undefined : `${from.kind} may not import ${to.kind} of another domain`
}

function faultOfLayer(layer: string, to: Place): string | undefined {
  const allowed = LAYERS[layer]
  if (!allowed) return undefined
  return allowed.includes(to.layer) ? undefined : `${layer} may not import ${to.layer}`
}

function outsideFault({ outside, types = [] }: DomainRule, target: string, typeOnly: boolean): string | undefined {
  const path = target.replace(/^src\//, '').replace(/\.ts$/, '')
  const allowed = ['lib', ...outside, ...(typeOnly ? types : [])]
  return allowed.some(place => path === place || path.startsWith(`${place}/`)) ? undefined : `may not import ${path}`
}

/**
 * Returns the folders of all domains, below `src/domains`. A folder that holds further domains has only their folders,
 * an index and a README.
 */
export function domainFoldersIn(root: string, below = ''): string[] {
  const entries = readdirSync(join(root, below), { withFileTypes: true })
  return entries.flatMap(entry => {
    if (!entry.isDirectory()) return []
    const folder = join(below, entry.name)
    const names = readdirSync(join(root, folder)).filter(name => name !== 'index.ts' && name !== 'README.md')
    const isGroup = names.every(name => !KINDS.includes(name.replace(/\.ts$/, '')))
    return isGroup ? domainFoldersIn(root, folder) : [folder]
  })
}

/** Returns the paths of files that import each other in a cycle. */
export function cyclesIn(sources: Source[]): string[] {
  const byPath = new Map(sources.map(source => [source.path, source]))
  const finished = new Set<string>()
  const cycles: string[] = []
  const walk = (path: string, trail: string[]): void => {
    if (trail.includes(path)) return void cycles.push([...trail.slice(trail.indexOf(path)), path].join(' → '))
    if (finished.has(path)) return
    for (const { target } of byPath.get(path)?.imports ?? []) if (byPath.has(target)) walk(target, [...trail, path])
    finished.add(path)
  }
  for (const path of byPath.keys()) walk(path, [])
  return cycles
}
