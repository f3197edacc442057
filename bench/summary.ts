import { barOf, MEMORY_BAR_MB, P99_BAR } from './bars.ts'
import type { Measured, Sample } from './measure.ts'
import { median } from './statistics.ts'
import type { Work } from './works.ts'

type Medians = Omit<Measured, 'failed'>

/** One kind of work at one number of connections. */
export interface Row {
  work: Work
  connections: number
  floor: Medians
  lintel: Medians | undefined
  /**
   * Lintel's requests per second divided by the floor's: the median over rounds in which both are measured side by
   * side.
   */
  ratio: number | undefined
  p99Ratio: number | undefined
  must: number | undefined
  want: number | undefined
  failed: number
}

const METRICS = ['requestsPerSecond', 'p50Ms', 'p99Ms', 'cpuMicros', 'databaseMicros', 'residentMb'] as const

const medians = (samples: Sample[]): Medians =>
  Object.fromEntries(
    METRICS.map(metric => [metric, median(samples.map(sample => sample[metric]))]),
  ) as unknown as Medians

const ratioOf = (lintel: Sample[], floor: Sample[], metric: (typeof METRICS)[number]): number =>
  median(lintel.map((sample, at) => sample[metric] / (floor[at]?.[metric] ?? Number.NaN)))

export function summarize(samples: Sample[]): Row[] {
  const groups = Map.groupBy(samples, ({ work, connections }) => `${work}@${connections}`)
  return [...groups.values()].map(toRow)
}

function toRow(group: Sample[]): Row {
  const byRound = group.toSorted((a, b) => a.round - b.round)
  const floor = byRound.filter(sample => sample.server === 'floor')
  const lintel = byRound.filter(sample => sample.server === 'lintel')
  const { work, connections } = group[0] as Sample
  const both = lintel.length > 0
  return {
    work,
    connections,
    floor: medians(floor),
    lintel: both ? medians(lintel) : undefined,
    ratio: both ? ratioOf(lintel, floor, 'requestsPerSecond') : undefined,
    p99Ratio: both ? ratioOf(lintel, floor, 'p99Ms') : undefined,
    must: barOf(work, connections)?.must,
    want: barOf(work, connections)?.want,
    failed: group.reduce((sum, { failed }) => sum + failed, 0),
  }
}

/** Returns the bars that a row misses; empty when it meets all. */
export function misses({ connections, lintel, ratio, must, p99Ratio, failed }: Row): string[] {
  return [
    failed > 0 && `invalid: ${failed} failed`,
    ratio !== undefined && must !== undefined && ratio < must && `below ${must}`,
    connections === P99_BAR.connections &&
      p99Ratio !== undefined &&
      p99Ratio > P99_BAR.most &&
      `p99 over ${P99_BAR.most}`,
    lintel && lintel.residentMb > MEMORY_BAR_MB && `over ${MEMORY_BAR_MB} MB`,
  ].filter(miss => typeof miss === 'string')
}
