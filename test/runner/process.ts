import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { constants } from 'node:os'
import { join } from 'node:path'
import { ROOT } from './files.ts'

/** The compile cache. Every file loads the whole application; the cache saves a fifth of the CPU time. */
const COMPILED = join(ROOT, 'node_modules', '.cache', 'lintel-test')
/**
 * Not the runner of tap: it loads every module of a file through three hooks in a thread of their own, for mocks and
 * compilers that nobody here uses, which is 0.4 s of CPU a file. A file runs as `node file` runs it, only faster.
 */
const PRELOAD = join(ROOT, 'src', 'preload.mjs')
/** The limit of one file, far above the slowest on a busy machine. When a file hangs, tap reports what it waits for. */
const LIMIT_S = 600
/** The process is killed after tap has had time to report. */
const KILL_MS = (LIMIT_S + 30) * 1000

export interface Run {
  file: string
  /** Everything that it wrote, including standard error. */
  output: string
  passed: boolean
  tookMs: number
}

/** Runs one test file in its own process, which `interrupted` ends. */
export async function runFile(
  file: string,
  env: Record<string, string | undefined>,
  interrupted: AbortSignal,
): Promise<Run> {
  const started = performance.now()
  const child = spawn(process.execPath, ['--import', PRELOAD, file], {
    cwd: ROOT,
    env: { NODE_COMPILE_CACHE: COMPILED, TAP_TIMEOUT: String(LIMIT_S), ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const chunks: Buffer[] = []
  for (const stream of [child.stdout, child.stderr]) stream.on('data', chunk => chunks.push(chunk))
  const end = () => child.kill(interrupted.reason)
  interrupted.addEventListener('abort', end)
  const limit = setTimeout(() => child.kill('SIGKILL'), KILL_MS)
  const [code, signal] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null]
  clearTimeout(limit)
  interrupted.removeEventListener('abort', end)
  const output = Buffer.concat(chunks).toString()
  const killed = signal ? `\n# ended by ${signal}, ${constants.signals[signal]}\n` : ''
  return {
    file,
    output: output + killed,
    passed: code === 0 && isComplete(output),
    tookMs: performance.now() - started,
  }
}

/** Whether there was a test and the plan at the end shows that all have run. */
const isComplete = (output: string): boolean => /^1\.\.[1-9]/m.test(output) && !/^not ok/m.test(output)
