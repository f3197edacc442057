import type { Run } from './process.ts'

const SLOWEST = 5
const SHORT_MS = 1000

/** Prints one line for a file that passes, and the failing parts of one that does not. */
export function print({ file, output, passed, tookMs }: Run, number: number, verbose: boolean): void {
  const line = `${passed ? 'ok' : 'not ok'} ${number} - ${file} # time=${Math.round(tookMs)}ms ${skippedIn(output)}`
  console.log(line.trimEnd())
  if (verbose) console.log(output)
  else if (!passed) console.log(explained(output))
}

/** Counts skipped tests, since they look like passed ones. */
function skippedIn(output: string): string {
  const skipped = output.match(/^ *ok .*# SKIP/gm)?.length ?? 0
  return skipped > 0 ? `skip=${skipped}` : ''
}

/** Removes what passed: results, plans and headings. */
const explained = (output: string): string =>
  output
    .split('\n')
    .filter(line => !/^ *(ok \d|1\.\.\d|# Subtest|TAP version|$)/.test(line))
    .join('\n')

/** Prints the totals, and the names of the files that need attention. */
export function summarize(runs: Run[], tookMs: number): void {
  const failed = runs.filter(({ passed }) => !passed)
  const slowest = runs.filter(run => run.tookMs > SHORT_MS).toSorted((a, b) => b.tookMs - a.tookMs)
  const named = slowest.slice(0, SLOWEST).map(run => `${run.file} ${seconds(run.tookMs)}`)
  const assertions = runs.reduce((sum, { output }) => sum + assertionsIn(output), 0)
  if (named.length > 1) console.log(`# slowest: ${named.join(', ')}`)
  console.log(`# ${runs.length} files, ${assertions} assertions, ${failed.length} failed, in ${seconds(tookMs)}`)
  for (const { file } of failed) console.log(`# failed: ${file}`)
}

const assertionsIn = (output: string): number => Number(/^# \{ total: (\d+)/m.exec(output)?.[1] ?? 0)
const seconds = (milliseconds: number): string => `${(milliseconds / 1000).toFixed(1)} s`
