import { type ChildProcess, fork } from 'node:child_process'
import type pg from 'pg'
import type { LoadMessage, LoadOrder, LoadResult } from './load.ts'
import { cpuMicros, residentMb, type Server } from './servers.ts'
import type { Work } from './works.ts'

const LOAD = new URL('load.ts', import.meta.url)

export interface Sample {
  server: string
  work: Work
  connections: number
  round: number
  requestsPerSecond: number
  p50Ms: number
  p99Ms: number
  /** CPU time of the server process per request. */
  cpuMicros: number
  /** CPU time of the database's backends per request. */
  databaseMicros: number
  residentMb: number
  failed: number
}

export type Measured = Omit<Sample, 'server' | 'work' | 'connections' | 'round'>

export const startLoad = (): ChildProcess => fork(LOAD, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] })

/** Returns the CPU time of the backends of the bench database, by pid. */
export async function backends(client: pg.Client): Promise<Map<number, number>> {
  const { rows } = await client.query({
    name: 'backends',
    text: 'select pid from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()',
  })
  return new Map(rows.map(({ pid }) => [pid, cpuMicros(pid) ?? Number.NaN]))
}

/** Returns the CPU time of the backends between two looks. */
export const spent = (before: Map<number, number>, after: Map<number, number>): number =>
  [...after].reduce((sum, [pid, micros]) => sum + micros - (before.get(pid) ?? 0), 0)

/** Measures one server once. */
export async function measure(
  load: ChildProcess,
  { child, url }: Server,
  order: Omit<LoadOrder, 'url'>,
  client: pg.Client,
) {
  const snapshot = () => ({ server: cpuMicros(child.pid) ?? Number.NaN, database: backends(client) })
  return new Promise<Measured>(resolve => {
    let before: ReturnType<typeof snapshot>
    let after: ReturnType<typeof snapshot>
    let memoryMb = Number.NaN

    const finish = async ({ count, seconds, p50Ms, p99Ms, failed }: LoadResult) => {
      load.off('message', onMessage)
      resolve({
        requestsPerSecond: count / seconds,
        p50Ms,
        p99Ms,
        cpuMicros: (after.server - before.server) / count,
        databaseMicros: spent(await before.database, await after.database) / count,
        residentMb: memoryMb,
        failed,
      })
    }
    const onMessage = (message: LoadMessage) => {
      if (message === 'open') before = snapshot()
      else if (message === 'close') {
        after = snapshot()
        memoryMb = residentMb(child.pid) ?? Number.NaN
      } else void finish(message)
    }
    load.on('message', onMessage)
    load.send({ ...order, url } satisfies LoadOrder)
  })
}
