import { spawn } from 'node:child_process'
import { cpSync, globSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Kind, Mutant } from './mutants.ts'

/** The parts of the repository that the generated tests need. */
const COPIED = ['bin', 'docs', 'migrations', 'src', 'test', 'package.json', 'tsconfig.json']
const [EFFECTS, ISOLATION, MATRIX, CONTRACT] = [
  'test/contract/effects.test.ts',
  'test/contract/isolation.test.ts',
  'test/contract/matrix.test.ts',
  'test/contract.test.ts',
]
const ALL = [EFFECTS, ISOLATION, MATRIX, CONTRACT]
/** The tests that are likely to fail, the likeliest first. */
const FILES: Record<Kind, string[]> = {
  condition: [ISOLATION, EFFECTS],
  tenant: [ISOLATION, EFFECTS],
  id: [EFFECTS, ISOLATION],
  event: [EFFECTS],
  version: [EFFECTS],
  access: [MATRIX, CONTRACT],
  membership: [ISOLATION, MATRIX],
}
/** A mutant may make a test wait for ever. */
const LIMIT_S = 120
const SHOWN_CHARACTERS = 2_000
const KILL_MS = (LIMIT_S + 10) * 1000
/** How the name of a test begins with its operation: `getTask: shows nobody a row of another organization`. */
const SUBTEST = /# Subtest: (\w[\w-]*: .*)/g
/** The set-up of a test may fail too. */
const FAULT = /Error: (\w+ makes no row.*|.*\banswered \d{3}.*)/
const UNREADABLE = /SyntaxError|ReferenceError|ERR_MODULE_NOT_FOUND/

export interface Verdict {
  /** `own`: caught only by the domain's own tests, which are written by hand. */
  verdict: 'caught' | 'own' | 'survived' | 'broken'
  /** The test that failed, or what else happened. */
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

  /** Runs the tests of `operations` on the unchanged sources; returns the first failure, or null. */
  async sound(operations: string[]): Promise<string | null> {
    for (const file of ALL.slice(0, -1)) {
      const { passed, output } = await this.#run(file, operations)
      if (!passed) return output
    }
    return null
  }

  /** Runs the tests of the domain's operations, then those of all operations, then the domain's own tests. */
  async try(mutant: Mutant, operations: string[]): Promise<Verdict> {
    const path = join(this.root, mutant.file)
    const source = readFileSync(path, 'utf8')
    writeFileSync(path, source.slice(0, mutant.start) + mutant.text + source.slice(mutant.end))
    try {
      for (const file of FILES[mutant.kind]) {
        const verdict = verdictOf(await this.#run(file, operations))
        if (verdict) return verdict
      }
      for (const file of ALL) {
        const verdict = verdictOf(await this.#run(file, null))
        if (verdict) return verdict
      }
      return await this.#tryOwn(mutant.domain)
    } finally {
      writeFileSync(path, source)
    }
  }

  async #tryOwn(domain: string): Promise<Verdict> {
    for (const file of globSync(`test/{domains/${domain},architecture}/*.test.ts`, { cwd: this.root }).sort()) {
      const { passed, output } = await this.#run(file, null)
      if (passed) continue
      if (UNREADABLE.test(output)) return { verdict: 'broken', by: output.slice(-SHOWN_CHARACTERS) }
      return { verdict: 'own', by: file }
    }
    return { verdict: 'survived', by: '' }
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

/** Returns undefined when no test failed because of the mutant. A syntax error or a bug of the tests does not count. */
function verdictOf({ passed, output }: { passed: boolean; output: string }): Verdict | undefined {
  if (passed) return undefined
  const before = output.slice(0, /^ *not ok/m.exec(output)?.index ?? 0)
  const by = [...before.matchAll(SUBTEST)].at(-1)?.[1] ?? FAULT.exec(output)?.[1]
  if (by && !UNREADABLE.test(output)) return { verdict: 'caught', by }
  return { verdict: 'broken', by: output.slice(-SHOWN_CHARACTERS) }
}
