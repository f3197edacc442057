import { execFile } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import { ROOT } from './files.ts'

const C8 = join(ROOT, 'node_modules', 'c8', 'bin', 'c8.js')
const SOURCES = pathToFileURL(join(ROOT, 'src', '/')).href
/** Each domain has its own line in the summary. */
const FOLDER = /^src\/(?:domains\/[^/]+\/|[^/]+\/)?/
const NAME_CHARACTERS = 28
const NUMBER_CHARACTERS = 9

interface Count {
  covered: number
  total: number
}
type Summary = Record<string, { lines: Count; branches: Count }>

/** Collects V8's coverage of the tests, by folder of `src`. */
export class Coverage {
  readonly #folder = mkdtempSync(join(tmpdir(), 'lintel-coverage-'))
  readonly #counts = join(this.#folder, 'counts')
  readonly #report = join(this.#folder, 'report')
  readonly #small = new Set<string>()
  /** For the processes of the tests. Functions out of the compile cache would not be counted (nodejs.org, `module.enableCompileCache`). */
  readonly env = { NODE_V8_COVERAGE: this.#counts, NODE_DISABLE_COMPILE_CACHE: '1' }

  constructor() {
    mkdirSync(this.#counts)
  }

  /** Each process writes 10 MB of JSON about everything that it loads; the sources are a tenth of it. */
  shrink(): void {
    for (const name of readdirSync(this.#counts).filter(name => !this.#small.has(name))) {
      const file = join(this.#counts, name)
      const counts = attempt(() => JSON.parse(readFileSync(file, 'utf8')))
      // The file of a process that is still writing.
      if (!counts) continue
      const result = counts.result.filter(({ url }: { url: string }) => url.startsWith(SOURCES))
      writeFileSync(file, JSON.stringify({ result }))
      this.#small.add(name)
    }
  }

  async print(): Promise<void> {
    const folders = ['--temp-directory', this.#counts, '--reports-dir', this.#report]
    const sources = ['--include', 'src/**', '--all', '--src', 'src', '--extension', '.ts', '--extension', '.mjs']
    const args = [C8, 'report', '--merge-async', '--reporter', 'json-summary', ...folders, ...sources]
    await promisify(execFile)(process.execPath, args, { cwd: ROOT })
    const summary: Summary = JSON.parse(readFileSync(join(this.#report, 'coverage-summary.json'), 'utf8'))
    for (const line of tableOf(summary)) console.log(`# ${line}`)
  }

  remove(): void {
    rmSync(this.#folder, { recursive: true, force: true })
  }
}

function tableOf({ total, ...files }: Summary): string[] {
  const byFolder = Map.groupBy(Object.entries(files), ([file]) => FOLDER.exec(relative(ROOT, file))?.[0] ?? '')
  const row = (name: string, counts: Summary[string][]) =>
    name.padEnd(NAME_CHARACTERS) +
    percent(counts.map(({ lines }) => lines)) +
    percent(counts.map(({ branches }) => branches))
  const rows = [...byFolder].toSorted().map(([name, found]) =>
    row(
      name,
      found.map(([, counts]) => counts),
    ),
  )
  const head = `${'covered'.padEnd(NAME_CHARACTERS)}${'lines'.padStart(NUMBER_CHARACTERS)}${'branches'.padStart(NUMBER_CHARACTERS)}`
  return [head, ...rows, ...(total ? [row('all', [total])] : [])]
}

function percent(counts: Count[]): string {
  const sum = (of: keyof Count) => counts.reduce((total, count) => total + count[of], 0)
  const share = sum('total') === 0 ? 1 : sum('covered') / sum('total')
  return `${(100 * share).toFixed(1)} %`.padStart(NUMBER_CHARACTERS)
}

const attempt = <T>(run: () => T): T | undefined => {
  try {
    return run()
  } catch {
    return undefined
  }
}
