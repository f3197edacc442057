import { globSync, readFileSync, statSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { ROOT } from './files.ts'

/** Joins the parts at run time: written as one word, the path would count as used by this file. */
const path = (...parts: string[]) => parts.join('/')
/**
 * The file that imports all domains: a change in one domain need not concern a test that starts the whole application.
 */
export const COMPOSITION = path('src', 'domains', 'index.ts')
/** The tests that are generated from the OpenAPI document, for all operations or for some. */
export const GENERATED = path('test', 'contract', 'specification.ts')
const SOURCES = '{src,test,bin,bench}/**/*.{ts,mjs}'
const NEEDS_DATABASE = [
  path('test', 'helpers', 'database.ts'),
  path('test', 'faults', 'postgres.ts'),
  path('src', 'database', 'embedded.ts'),
]

/** Comments and type imports do not exist at run time. */
const COMMENT = /^\s*(?:\/\/.*$|\/\*\*[\s\S]*?\*\/)/gm
const TYPE_IMPORT = /^(?:import|export) type\b[^']*'[^']+'/gm
/** Matches quoted words that name a file, such as imports. Parsing the whole project would take seconds. */
const QUOTED_NAME = /(['"`])([\w.][\w./-]*)\1/g

/** Which file uses which at run time: by an import, or by a text that names a file or folder of the project. */
export class Graph {
  readonly texts = new Map(globSync(SOURCES, { cwd: ROOT }).map(path => [path, readFileSync(join(ROOT, path), 'utf8')]))
  readonly #uses = new Map([...this.texts].map(([path, text]) => [path, usesOf(path, text)]))

  /** Returns everything that `path` uses, directly or not, including itself, but nothing beyond a file of `stops`. */
  reachedFrom(path: string, stops: string[] = []): Set<string> {
    const reached = new Set([path])
    for (const at of reached) {
      if (stops.includes(at)) continue
      for (const used of this.#uses.get(at) ?? []) reached.add(used)
    }
    return reached
  }

  needsDatabase(file: string): boolean {
    const reached = this.reachedFrom(file)
    return NEEDS_DATABASE.some(path => reached.has(path))
  }
}

/** Whether `reached` contains the file or a folder above it. */
export const includes = (reached: Set<string>, path: string): boolean =>
  reached.has(path) || [...reached].some(folder => path.startsWith(`${folder}/`))

const usesOf = (path: string, text: string): string[] => [
  ...new Set(
    [...text.replace(COMMENT, '').replace(TYPE_IMPORT, '').matchAll(QUOTED_NAME)].flatMap(([, , name = '']) =>
      filesCalled(name, path),
    ),
  ),
]

/**
 * Returns the files that `name` means, relative to the file or to the root: `../../docs/guides/`, `src/server.ts`,
 * `matrix.txt`.
 */
function filesCalled(name: string, path: string): string[] {
  const isBare = !name.includes('/') && (!name.includes('.') || name.endsWith('.ts'))
  if (isBare || !/\w/.test(name) || name.includes('node_modules')) return []
  return [dirname(path), '.']
    .map(from => relative(ROOT, join(ROOT, from, name)).replace(/\/$/, ''))
    .filter(target => /[./]/.test(target) && !target.startsWith('..'))
    .filter(target => statSync(join(ROOT, target), { throwIfNoEntry: false }))
}
