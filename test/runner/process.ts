import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { constants } from 'node:os'
import { join } from 'node:path'
import { ROOT } from './files.ts'

/** The compile cache. It saves a fifth of the CPU time of loading the application. */
const COMPILED = join(ROOT, 'node_modules', '.cache', 'lintel-test')
/**
 * Not the runner of tap: it loads every module of a file through three hooks in a thread of their own, for mocks and
 * compilers that nobody here uses, which is 0.4 s of CPU a process.
 */
const PRELOAD = join(ROOT, 'src', 'preload.mjs')
const WORKER = join(ROOT, 'test', 'runner', 'worker.ts')
/** The limit of one file, far above the slowest on a busy machine. When a file hangs, tap reports it. */
const LIMIT_MS = 600_000
/** The process is killed after tap has had time to report. */
const KILL_MS = LIMIT_MS + 30_000
/** Written by the process behind the result of a file. */
const END = '# end of the file\n'

export type Environment = Record<string, string | undefined>

export interface Run {
  file: string
  /** Everything that it wrote, including standard error. */
  output: string
  passed: boolean
  tookMs: number
}

/** A process that runs test files one after another, which `interrupted` ends. */
export class TestProcess {
  readonly #child: ChildProcess
  readonly #closed: Promise<unknown[]>
  readonly #files: string[] = []
  #output = ''
  #onOutput = () => {}

  constructor(env: Environment, interrupted: AbortSignal) {
    const own = { TEST_END: END, TEST_LIMIT_MS: String(LIMIT_MS), TAP_TIMEOUT: '0' }
    this.#child = fork(WORKER, [], {
      cwd: ROOT,
      execArgv: ['--import', PRELOAD],
      env: { NODE_COMPILE_CACHE: COMPILED, ...env, ...own },
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    })
    for (const stream of [this.#child.stdout, this.#child.stderr])
      stream?.setEncoding('utf8').on('data', text => {
        this.#output += text
        this.#onOutput()
      })
    const end = () => void this.#child.kill(interrupted.reason)
    interrupted.addEventListener('abort', end)
    this.#closed = once(this.#child, 'close').finally(() => interrupted.removeEventListener('abort', end))
  }

  /** Whether it can run another file: what a file that fails leaves behind must not fail the next. */
  sound = true

  async run(file: string): Promise<Run> {
    const started = performance.now()
    const limit = setTimeout(() => this.#child.kill('SIGKILL'), KILL_MS)
    const ended = new Promise<boolean>(resolve => {
      this.#onOutput = () => this.#output.includes(END) && resolve(true)
      void this.#closed.then(() => resolve(false))
    })
    this.#files.push(file)
    this.#child.send(file)
    const complete = await ended
    clearTimeout(limit)
    const output = this.#take() + (complete ? '' : await this.#ending())
    this.sound = complete && isComplete(output)
    return { file, output, passed: this.sound, tookMs: performance.now() - started }
  }

  /** Lets it end; returns a failed run when it does not, because a file has left something open. */
  async end(): Promise<Run | undefined> {
    const started = performance.now()
    if (this.#child.connected) this.#child.send('')
    const [code] = await this.#closed
    if (code === 0 || !this.sound) return
    const file = `the end of ${this.#files.join(', ')}`
    return { file, output: this.#take() + (await this.#ending()), passed: false, tookMs: performance.now() - started }
  }

  #take(): string {
    const output = this.#output.replace(END, '')
    this.#output = ''
    return output
  }

  async #ending(): Promise<string> {
    const [code, signal] = (await this.#closed) as [number | null, NodeJS.Signals | null]
    return signal ? `\n# ended by ${signal}, ${constants.signals[signal]}\n` : `\n# ended with code ${code}\n`
  }
}

/** Runs one test file in its own process. */
export async function runFile(file: string, env: Environment, interrupted: AbortSignal): Promise<Run> {
  const own = new TestProcess(env, interrupted)
  const run = await own.run(file)
  const left = await own.end()
  return left ? { ...run, output: run.output + left.output, passed: false } : run
}

/** Whether there was a test and the plan at the end shows that all have run. */
const isComplete = (output: string): boolean => /^1\.\.[1-9]/m.test(output) && !/^not ok/m.test(output)
