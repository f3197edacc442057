import { execFileSync } from 'node:child_process'
import { ROOT } from './files.ts'
import { COMPOSITION, GENERATED, type Graph, includes } from './graph.ts'

/** A change of these files can affect every test. */
const EVERYTHING = /^(package(-lock)?\.json|migrations\/|test\/(helpers|runner|run\.ts)|src\/preload\.mjs)/
const SERVED_PATH = /'(\/[a-z][\w:/-]*)'/g
const DOMAIN = /^src\/domains\/([\w-]+)\//

export interface Reach {
  files: string[]
  why: string[]
  /** The last words of the paths of the operations to which generated tests may be limited; undefined means all. */
  operations: string[] | undefined
}

/** Returns files that differ from the point where this branch left `main`, and untracked files. */
export function changedFiles(): string[] {
  const git = (...args: string[]) => execFileSync('git', args, { cwd: ROOT, encoding: 'utf8', stdio: 'pipe' }).trim()
  const base = ['main', 'origin/main'].map(branch => attempt(() => git('merge-base', 'HEAD', branch))).find(Boolean)
  const known = git('diff', '--name-only', base ?? 'HEAD')
  const unknown = git('ls-files', '--others', '--exclude-standard')
  return [...known.split('\n'), ...unknown.split('\n')].filter(path => path !== '')
}

const attempt = (run: () => string): string | undefined => {
  try {
    return run()
  } catch {
    return undefined
  }
}

/** Returns which of `files` a change of `changed` can affect. */
export function reachOf(graph: Graph, files: string[], changed: string[]): Reach {
  const everything = changed.find(path => EVERYTHING.test(path))
  if (everything) return { files, why: [`everything, as ${everything} has changed`], operations: undefined }
  const found = new Map<string, string>()
  let all = false
  for (const path of changed) {
    const reaches = DOMAIN.test(path)
      ? ofDomain(graph, path)
      : (file: string) => includes(graph.reachedFrom(file), path)
    for (const file of files) if (reaches(file)) found.set(file, found.get(file) ?? path)
    all ||= !DOMAIN.test(path) && files.some(file => reaches(file) && graph.reachedFrom(file).has(GENERATED))
  }
  const words = changed.flatMap(path => wordsOf(graph, domainsUsing(graph, path)))
  return {
    files: [...found.keys()].toSorted(),
    why: reasonsOf(found),
    operations: all || words.length === 0 ? undefined : [...new Set(words)],
  }
}

/**
 * Every test of the application starts all domains. Of a change in one domain it can notice something if it imports the
 * file itself, is generated for every operation, or names a path of this domain or of one that uses the file.
 */
function ofDomain(graph: Graph, path: string): (file: string) => boolean {
  const words = wordsOf(graph, domainsUsing(graph, path))
  const named = new RegExp(`/(${words.join('|')})\\b`)
  const isOwn = (test: string) => /^test\//.test(test) && !/^test\/(helpers|contract)\//.test(test)
  return file => {
    const reached = graph.reachedFrom(file)
    if (includes(graph.reachedFrom(file, [COMPOSITION]), path)) return true
    if (!reached.has(COMPOSITION)) return false
    const texts = [...reached].filter(isOwn).map(test => graph.texts.get(test) ?? '')
    return reached.has(GENERATED) || texts.some(text => named.test(text))
  }
}

/** Returns the domain of `path`, and those that use it. */
function domainsUsing(graph: Graph, path: string): string[] {
  const own = DOMAIN.exec(path)?.[1]
  if (!own) return []
  const users = [...graph.texts.keys()].filter(source => graph.reachedFrom(source, [COMPOSITION]).has(path))
  return [...new Set([own, ...users.flatMap(user => DOMAIN.exec(user)?.[1] ?? [])])]
}

/**
 * Returns the last word of each path of the domains (`complete` of `/tasks/:id/complete`), and the names of the
 * domains.
 */
function wordsOf(graph: Graph, domains: string[]): string[] {
  const words = new Set(domains)
  for (const [path, text] of graph.texts) {
    if (!domains.includes(DOMAIN.exec(path)?.[1] ?? '')) continue
    for (const [, url = ''] of text.matchAll(SERVED_PATH))
      words.add(url.split('/').findLast(segment => /^[a-z]/.test(segment)) as string)
  }
  return [...words]
}

const reasonsOf = (found: Map<string, string>): string[] =>
  [...Map.groupBy(found, ([, path]) => path)].map(([path, files]) => `${files.length} because of ${path}`)
