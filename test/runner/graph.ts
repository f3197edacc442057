import { globSync, readFileSync, statSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { ROOT } from './files.ts'

/** Not as one word, with which this file would itself use what it names. */
const path = (...parts: string[]) => parts.join('/')
/** Where all domains come together: what a domain changes need not concern whoever starts the whole application. */
export const COMPOSITION = path('src', 'domains', 'index.ts')
/** The tests that are generated from the document, for all operations or for some. */
export const GENERATED = path('test', 'contract', 'specification.ts')
const SOURCES = '{src,test,bin,bench}/**/*.{ts,mjs}'
const NEEDS_DATABASE = [
  path('test', 'helpers', 'database.ts'),
  path('test', 'faults', 'postgres.ts'),
  path('src', 'database', 'embedded.ts'),
]

/** What is gone before anything runs. */
const COMMENT = /^\s*(?:\/\/.*$|\/\*\*[\s\S]*?\*\/)/gm
const TYPE_IMPORT = /^(?:import|export) type\b[^']*'[^']+'/gm
/** Not parsed, which takes seconds for the whole project: a quoted word that names a file, an import among others. */
const QUOTED_NAME = /(['"`])([\w.][\w./-]*)\1/g

/** Who uses whom at run time: by an import, or by a text that names a file or a folder of the project. */
export class Graph {
  readonly texts = new Map(globSync(SOURCES, { cwd: ROOT }).map(path => [path, readFileSync(join(ROOT, path), 'utf8')]))
  readonly #uses = new Map([...this.texts].map(([path, text]) => [path, usesOf(path, text)]))

  /** Everything that `path` uses, directly or not, itself among it; without what comes after a file of `stops`. */
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

/** Whether `reached` has the file or a folder that it lies in. */
export const includes = (reached: Set<string>, path: string): boolean =>
  reached.has(path) || [...reached].some(folder => path.startsWith(`${folder}/`))

const usesOf = (path: string, text: string): string[] => [
  ...new Set(
    [...text.replace(COMMENT, '').replace(TYPE_IMPORT, '').matchAll(QUOTED_NAME)].flatMap(([, , name = '']) =>
      filesCalled(name, path),
    ),
  ),
]

/** What `name` is as seen from the file or from the root: `../../docs/guides/`, `src/server.ts`, `matrix.txt`. */
function filesCalled(name: string, path: string): string[] {
  const isBare = !name.includes('/') && (!name.includes('.') || name.endsWith('.ts'))
  if (isBare || !/\w/.test(name) || name.includes('node_modules')) return []
  return [dirname(path), '.']
    .map(from => relative(ROOT, join(ROOT, from, name)).replace(/\/$/, ''))
    .filter(target => /[./]/.test(target) && !target.startsWith('..'))
    .filter(target => statSync(join(ROOT, target), { throwIfNoEntry: false }))
}
