import type { Work } from './works.ts'

/** Requests per second as a share of the floor's. */
interface Bar {
  must: number
  want: number
}

const bars: Partial<Record<`${Work}@${number}`, Bar>> = {
  'read@1': { must: 0.7, want: 0.9 },
  'read@32': { must: 0.9, want: 1.3 },
  'read@256': { must: 1.0, want: 1.5 },
  'list@32': { must: 0.9, want: 1.2 },
  'create@32': { must: 1.0, want: 2.0 },
  'mixed@32': { must: 0.9, want: 1.3 },
  'transfer@32': { must: 1.5, want: 2.0 },
  'transfer@256': { must: 1.5, want: 2.0 },
  'transfer-hot@32': { must: 5.0, want: 8.0 },
  'transfer-hot@256': { must: 5.0, want: 8.0 },
}

export const barOf = (work: Work, connections: number): Bar | undefined => bars[`${work}@${connections}`]

/** p99 at 32 connections, as a multiple of the floor's. */
export const P99_BAR = { connections: 32, most: 1.2 }
/** Resident memory under load. */
export const MEMORY_BAR_MB = 200
