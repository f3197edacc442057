import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { ROOT } from './files.ts'

/** How long each file took in the last run, where known. */
const TIMES = join(ROOT, 'node_modules', '.cache', 'lintel-test', 'times.json')

/** Sorts the longest first: a long one that starts last would run alone at the end. A new file may be long. */
export function inOrder(files: string[]): string[] {
  const times = readTimes()
  const timeOf = (file: string) => times[file] ?? Infinity
  return files.toSorted((a, b) => timeOf(b) - timeOf(a) || 0)
}

export function remember(runs: { file: string; tookMs: number }[]): void {
  const times = readTimes()
  for (const { file, tookMs } of runs) times[file] = Math.round(tookMs)
  mkdirSync(dirname(TIMES), { recursive: true })
  writeFileSync(TIMES, JSON.stringify(times))
}

function readTimes(): Record<string, number> {
  try {
    return JSON.parse(readFileSync(TIMES, 'utf8'))
  } catch {
    return {}
  }
}
