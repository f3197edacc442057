import { spawn } from 'node:child_process'
import { cpSync, globSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Kind, Mutant } from './mutants.ts'

/** What the generated tests need of the repository. */
const COPIED = ['bin', 'docs', 'migrations', 'src', 'test', 'package.json', 'tsconfig.json']
const [EFFECTS, ISOLATION, MATRIX, CONTRACT] = [
  'test/contract/effects.test.ts',
  'test/contract/isolation.test.ts',
  'test/contract/matrix.test.ts',
  'test/contract.test.ts',
]
const ALL = [EFFECTS, ISOLATION, MATRIX, CONTRACT]
/** Those that are likely to fail, the likeliest first. */
const FILES: Record<Kind, string[]> = {
  condition: [ISOLATION, EFFECTS],
  tenant: [ISOLATION, EFFECTS],
  id: [EFFECTS, ISOLATION],
  event: [EFFECTS],
  version: [EFFECTS],
  access: [MATRIX, CONTRACT],
  membership: [ISOLATION, MATRIX],
}
/** A mutant may make a test wait for what never comes. */
const LIMIT_S = 120
const SHOWN_CHARACTERS = 2_000
const KILL_MS = (LIMIT_S + 10) * 1000
/** What an operation is told by: `getTask: shows nobody a row of another organization`. */
const SUBTEST = /# Subtest: (\w[\w-]*: .*)/g
/** What the world of a test is made by may fail too. */
const FAULT = /Error: (\w+ makes no row.*|.*\banswered \d{3}.*)/
const UNREADABLE = /SyntaxError|ReferenceError|ERR_MODULE_NOT_FOUND/

/** A rule of access may show in any test; everything else shows in what is written or read. */
const attempts = (kind: Kind, operations: string[]): [file: string, operations: string[] | null][] => [
  ...FILES[kind].map((file): [string, string[]] => [file, operations]),
  ...(kind === 'access' || kind === 'membership' ? ALL : [EFFECTS, ISOLATION]).map((file): [string, null] => [
    file,
    null,
  ]),
]

export interface Verdict {
  /** `own`: by the domain's own tests alone, which are written by hand. */
  verdict: 'caught' | 'own' | 'survived' | 'broken'
  /** The test that has found it, or what else happened. */
  by: string
}

/** A copy of the sources, in which one thing at a time is broken. */
export class Trial {
  readonly root = mkdtempSync(join(tmpdir(), 'lintel-mutants-'))

  constructor(original: string) {
    for (const name of COPIED) cpSync(join(original, name), join(this.root, name), { recursive: true })
    symlinkSync(join(original, 'node_modules'), join(this.root, 'node_modules'))
  }

  remove(): void {
    rmSync(this.root, { recursive: true, force: true })
  }

  /** What the tests of `operations` say of the sources as they are. */
  async sound(operations: string[]): Promise<string | null> {
    for (const file of ALL.slice(0, -1)) {
      const { passed, output } = await this.#run(file, operations)
      if (!passed) return output
    }
    return null
  }

  /** Runs the tests of the domain's operations, then those of all operations, then what is written by hand. */
  async try(mutant: Mutant, operations: string[]): Promise<Verdict> {
    const path = join(this.root, mutant.file)
    const source = readFileSync(path, 'utf8')
    writeFileSync(path, source.slice(0, mutant.start) + mutant.text + source.slice(mutant.end))
    try {
      for (const [file, some] of attempts(mutant.kind, operations)) {
        const verdict = verdictOf(await this.#run(file, some))
        if (verdict) return verdict
      }
      const file = await this.#ownFailure(mutant.domain)
      writeFileSync(path, source)
      // A test that fails without the mutant as well has not noticed it.
      const isFinding = file !== undefined && (await this.#run(file, null)).passed
      return isFinding ? { verdict: 'own', by: file } : { verdict: 'survived', by: file ?? '' }
    } finally {
      writeFileSync(path, source)
    }
  }

  /** The first test file of the domains that fails, beginning with the domain's own. */
  async #ownFailure(domain: string): Promise<string | undefined> {
    const files = globSync('test/domains/**/*.test.ts', { cwd: this.root }).sort()
    const isOwn = (file: string) => file.startsWith(`test/domains/${domain}/`)
    for (const file of [...files.filter(isOwn), ...files.filter(file => !isOwn(file))])
      if (!(await this.#run(file, null)).passed) return file
    return undefined
  }

  #run(file: string, operations: string[] | null): Promise<{ passed: boolean; output: string }> {
    const child = spawn(process.execPath, ['--import', join(this.root, 'src/preload.mjs'), file], {
      cwd: this.root,
      env: {
        ...process.env,
        NODE_COMPILE_CACHE: join(this.root, '.cache'),
        TAP_BAIL: '1',
        TAP_TIMEOUT: String(LIMIT_S),
        ...(operations ? { TEST_OPERATIONS: operations.join() } : {}),
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    let output = ''
    for (const stream of [child.stdout, child.stderr]) stream.on('data', chunk => (output += chunk))
    const limit = setTimeout(() => child.kill('SIGKILL'), KILL_MS)
    return new Promise(resolve =>
      child.on('close', code => {
        clearTimeout(limit)
        resolve({ passed: code === 0, output })
      }),
    )
  }
}

/** Undefined where nothing was found. A file that cannot be read, or a fault of the tests, is no finding. */
function verdictOf({ passed, output }: { passed: boolean; output: string }): Verdict | undefined {
  if (passed) return undefined
  const before = output.slice(0, /^ *not ok/m.exec(output)?.index ?? 0)
  const by = [...before.matchAll(SUBTEST)].at(-1)?.[1] ?? FAULT.exec(output)?.[1]
  if (by && !UNREADABLE.test(output)) return { verdict: 'caught', by }
  return { verdict: 'broken', by: output.slice(-SHOWN_CHARACTERS) }
}
