import { globSync, statSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'

export const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const EVERY = 'test/**/*.test.ts'

export interface Choice {
  files: string[]
  /** Run only the tests that a change can affect. */
  changed: boolean
  /** Run only the tests without a database. */
  unit: boolean
  /** Run only the tests with a database. */
  database: boolean
  coverage: boolean
  verbose: boolean
}

/** Parses the command line; throws for an unknown option or file. */
export function chooseFiles(args: string[]): Choice {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      exclude: { type: 'string', multiple: true, default: [] },
      changed: { type: 'boolean', default: false },
      unit: { type: 'boolean', default: false },
      database: { type: 'boolean', default: false },
      coverage: { type: 'boolean', default: false },
      verbose: { type: 'boolean', short: 'v', default: false },
    },
  })
  const { exclude, ...flags } = values
  const excluded = new Set(exclude.flatMap(found))
  const asked = positionals.length > 0 ? positionals.flatMap(named) : found(EVERY)
  return { files: [...new Set(asked)].filter(file => !excluded.has(file)).toSorted(), ...flags }
}

/** Returns the files of a file name, folder or pattern; throws when nothing matches. */
function named(pattern: string): string[] {
  const isFolder = statSync(pattern, { throwIfNoEntry: false })?.isDirectory()
  const files = found(isFolder ? `${pattern.replace(/\/$/, '')}/**/*.test.ts` : pattern)
  if (files.length === 0) throw new Error(`no test file is called ${pattern}`)
  return files
}

const found = (pattern: string): string[] => globSync(pattern, { cwd: ROOT })
