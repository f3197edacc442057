import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { ROOT } from './files.ts'
import { inOrder } from './order.ts'
import { type Environment, type Run, runFile, TestProcess } from './process.ts'

/** One more than there are cores: many files mostly wait for a job or a fault. */
const JOBS = 3
/** Files that measure or change what belongs to the whole process say so in this way, with the reason. */
const ALONE = /^\/\/ Runs in a process of its own: \w/m

/** Runs the files, several in each process; `hear` gets the result of each. */
export async function runAll(
  files: string[],
  env: Environment,
  interrupted: AbortSignal,
  hear: (run: Run, number: number) => void,
): Promise<Run[]> {
  const runs: Run[] = []
  const note = (run: Run | undefined) => run && hear(run, runs.push(run))
  const waiting = inOrder(files).values()
  const work = async () => {
    let shared: TestProcess | undefined
    for (const file of waiting) {
      if (interrupted.aborted) break
      if (runsAlone(file)) {
        note(await runFile(file, env, interrupted))
        continue
      }
      shared ??= new TestProcess(env, interrupted)
      note(await shared.run(file))
      if (shared.sound) continue
      await shared.end()
      shared = undefined
    }
    note(await shared?.end())
  }
  await Promise.all(Array.from({ length: JOBS }, work))
  return runs
}

const runsAlone = (file: string): boolean => ALONE.test(readFileSync(resolve(ROOT, file), 'utf8'))
