import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Sample } from './measure.ts'
import { plots } from './plots.ts'
import { misses, type Row } from './summary.ts'

interface Report {
  context: object
  summary: Row[]
  samples: Sample[]
}

const COLUMNS = [
  'work',
  'connections',
  'floor/s',
  'Lintel/s',
  'ratio',
  'must',
  'want',
  'p50 ms',
  'p99 ms',
  'p99 ratio',
  'CPU µs',
  'database µs',
  'MB',
  'verdict',
]

const whole = (value: number | undefined): string => (value === undefined ? '' : Math.round(value).toLocaleString('en'))
const fixed = (value: number | undefined, digits = 2): string => value?.toFixed(digits) ?? ''
/** Returns the values of the floor, then of Lintel. */
const pair = (row: Row, metric: keyof Row['floor'], digits: number): string =>
  [row.floor, row.lintel].flatMap(side => (side ? fixed(side[metric], digits) : [])).join(' → ')

const cells = (row: Row): string[] => [
  row.work,
  String(row.connections),
  whole(row.floor.requestsPerSecond),
  whole(row.lintel?.requestsPerSecond),
  fixed(row.ratio),
  fixed(row.must, 1),
  fixed(row.want, 1),
  pair(row, 'p50Ms', 2),
  pair(row, 'p99Ms', 2),
  fixed(row.p99Ratio),
  pair(row, 'cpuMicros', 0),
  pair(row, 'databaseMicros', 0),
  pair(row, 'residentMb', 0),
  misses(row).join(', ') || 'ok',
]

export function printSummary(summary: Row[]): void {
  console.table(summary.map(row => Object.fromEntries(cells(row).map((cell, at) => [COLUMNS[at], cell]))))
}

const line = (texts: readonly string[]): string => `| ${texts.join(' | ')} |`

function markdown({ context, summary }: Report): string {
  const settings = Object.entries(context).map(([name, value]) => `${name} ${value}`)
  return [
    '# Lintel against the floor',
    `${new Date().toISOString().slice(0, 10)}: ${settings.join(' · ')}`,
    [line(COLUMNS), line(COLUMNS.map(() => '---')), ...summary.map(row => line(cells(row)))].join('\n'),
    'Medians; an arrow leads from the floor to Lintel. `ratio` is the median of each round’s own, `must` and `want` are the bars for it. CPU and database are the microseconds of processor time that one request costs.',
    ...plots.map(({ file, title }) => `![${title}](${file})`),
  ]
    .join('\n\n')
    .concat('\n')
}

/** Writes report.md, its plots and the raw numbers to `folder`. */
export async function writeReport(folder: string, report: Report): Promise<void> {
  await mkdir(folder, { recursive: true })
  await writeFile(join(folder, 'run.json'), `${JSON.stringify(report, null, 1)}\n`)
  await writeFile(join(folder, 'report.md'), markdown(report))
  for (const { file, draw } of plots) await writeFile(join(folder, file), draw(report.summary))
  console.log(`written to ${folder}`)
}
