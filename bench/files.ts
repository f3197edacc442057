import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { type ClientRequest, request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type pg from 'pg'
import { migrate } from '../src/database/migrate.ts'
import { newId } from '../src/lib/ids.ts'
import { type Lintel, startLintel } from './contestants.ts'
import { type BenchServer, withClient, withServer } from './database.ts'
import { numberOptions } from './options.ts'
import { seed } from './seed.ts'
import { cpuMicros, freePort, residentMb, type Server, startServer, stopServer } from './servers.ts'
import { median } from './statistics.ts'

// Measures downloads of a large file against a bare `node:http` server that pipes it from the same disk, and how the memory of
// Lintel grows while many clients upload at once.

const DATABASE = 'lintel_bench_files'
const MB = 1_000_000
const CHUNK = Buffer.alloc(65_536, 'x')
const BOUNDARY = 'bench'
const HEAD = `--${BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="bench.bin"\r\n\r\n`
const TAIL = `\r\n--${BOUNDARY}--\r\n`
const SAMPLE_MS = 100
/** Between two uploads that begin: a server that is asked for all in one instant refuses some. */
const BETWEEN_MS = 10
/** What the bar wants of downloads. */
const MIN_RATIO = 0.8

const {
  rounds,
  seconds,
  connections,
  megabytes,
  uploads,
  'upload-megabytes': uploadMegabytes,
} = numberOptions({ rounds: 5, seconds: 4, connections: 4, megabytes: 100, uploads: 500, 'upload-megabytes': 20 })

type Headers = Record<string, string>
interface Bench {
  lintel: Lintel
  floor: Server
  headers: Headers
  organizationId: string
  /** Where Lintel keeps its files. */
  folder: string
}

/** Sends a file of `bytes` without holding it, and waits for `others` after its first chunk. */
async function upload(
  { lintel, headers, organizationId }: Bench,
  bytes: number,
  others: Promise<unknown> = Promise.resolve(),
): Promise<{ id: string }> {
  const sent = request(`${lintel.server.url}/api/v1/organizations/${organizationId}/files`, {
    method: 'POST',
    headers: {
      ...headers,
      'content-type': `multipart/form-data; boundary=${BOUNDARY}`,
      'content-length': HEAD.length + bytes + TAIL.length,
    },
  })
  const answered = once(sent, 'response')
  sent.write(HEAD)
  await writeBytes(sent, CHUNK.length)
  await others
  await writeBytes(sent, bytes - CHUNK.length)
  sent.end(TAIL)
  const [response] = await answered
  const body = (await response.toArray()).join('')
  if (response.statusCode !== 201) throw new Error(`upload: ${response.statusCode} ${body}`)
  return JSON.parse(body)
}

async function writeBytes(sent: ClientRequest, bytes: number): Promise<void> {
  for (let left = bytes; left > 0; left -= CHUNK.length)
    if (!sent.write(CHUNK.subarray(0, left))) await once(sent, 'drain')
}

/** Downloads again and again until `until`; returns the bytes that came. */
async function download(url: string, headers: Headers, until: number): Promise<number> {
  let bytes = 0
  while (performance.now() < until) {
    const sent = request(url, { headers }).end()
    const [response] = await once(sent, 'response')
    if (response.statusCode !== 200) throw new Error(`download: ${response.statusCode}`)
    for await (const chunk of response) bytes += chunk.length
  }
  return bytes
}

interface Rate {
  mbPerSecond: number
  cpuMicrosPerMb: number
}

async function rateOf({ child }: Server, url: string, headers: Headers): Promise<Rate> {
  const cpuBefore = cpuMicros(child.pid) ?? Number.NaN
  const started = performance.now()
  const until = started + seconds * 1000
  const counts = await Promise.all(Array.from({ length: connections }, () => download(url, headers, until)))
  const mb = counts.reduce((sum, bytes) => sum + bytes, 0) / MB
  return {
    mbPerSecond: mb / ((performance.now() - started) / 1000),
    cpuMicrosPerMb: ((cpuMicros(child.pid) ?? Number.NaN) - cpuBefore) / mb,
  }
}

async function measureDownloads(bench: Bench): Promise<void> {
  const { lintel, floor, headers, folder } = bench
  const { id } = await upload(bench, megabytes * MB)
  const contestants: [Server, string, Headers][] = [
    [floor, `${floor.url}/${join(folder, 'files', id.slice(-2), id)}`, {}],
    [lintel.server, `${lintel.server.url}/api/v1/files/${id}/content`, headers],
  ]
  const ratios: number[] = []
  for (let round = 1; round <= rounds; round++) {
    const rates = new Map<string, Rate>()
    for (const [server, url, sent] of round % 2 ? contestants : contestants.toReversed())
      rates.set(server.name, await rateOf(server, url, sent))
    const [floorRate, lintelRate] = ['file-floor', 'lintel'].map(name => rates.get(name) as Rate) as [Rate, Rate]
    ratios.push(lintelRate.mbPerSecond / floorRate.mbPerSecond)
    const shown = ({ mbPerSecond, cpuMicrosPerMb }: Rate) =>
      `${Math.round(mbPerSecond)} MB/s at ${Math.round(cpuMicrosPerMb)} µs of CPU for each MB`
    console.log(`download round ${round}: floor ${shown(floorRate)}, Lintel ${shown(lintelRate)}`)
  }
  const ratio = median(ratios)
  console.log(`download of ${megabytes} MB by ${connections}: ${ratio.toFixed(2)} of the floor (${MIN_RATIO} wanted)`)
  if (ratio < MIN_RATIO) process.exitCode = 1
}

async function measureUploads(bench: Bench): Promise<void> {
  const { pid } = bench.lintel.server.child
  const resident = () => residentMb(pid) ?? Number.NaN
  const before = resident()
  let peak = before
  const sampling = setInterval(() => {
    peak = Math.max(peak, resident())
  }, SAMPLE_MS)
  const { promise: allBegun, resolve: begin } = Promise.withResolvers<void>()
  const running: Promise<unknown>[] = []
  for (let n = 0; n < uploads; n++) {
    running.push(upload(bench, uploadMegabytes * MB, allBegun))
    await sleep(BETWEEN_MS)
  }
  begin()
  const started = performance.now()
  await Promise.all(running)
  clearInterval(sampling)
  const tookMs = performance.now() - started
  console.log(
    `${uploads} uploads of ${uploadMegabytes} MB at once: ${(tookMs / 1000).toFixed(1)} s, ` +
      `${Math.round((uploads * uploadMegabytes * 1000) / tookMs)} MB/s, memory ${Math.round(before)} MB, ` +
      `at most ${Math.round(peak)} MB`,
  )
}

async function prepare(url: string, client: pg.Client, folder: string): Promise<Bench> {
  await seed(client, 1)
  const { rows } = await client.query('select organization_id, user_id from members limit 1')
  const { organization_id: organizationId, user_id: userId } = rows[0]
  const lintel = await startLintel(url, { DATA_DIR: folder, FILE_QUOTA_BYTES: String(Number.MAX_SAFE_INTEGER) })
  const target = { id: newId(), userId }
  const tokens = lintel.tokens({ tasks: [target], projects: [], pairs: [], hotPairs: [] })
  const floor = await startServer('file-floor', ['bench/floor/files.ts'], await freePort(), {})
  return { lintel, floor, folder, organizationId, headers: { authorization: `Bearer ${tokens.get(userId)}` } }
}

async function main(server: BenchServer): Promise<void> {
  const url = await server.create(DATABASE)
  const folder = mkdtempSync(join(tmpdir(), 'lintel-bench-files-'))
  try {
    await migrate(url)
    const bench = await withClient(url, client => prepare(url, client, folder))
    try {
      await measureDownloads(bench)
      await sleep(SAMPLE_MS)
      await measureUploads(bench)
    } finally {
      await bench.lintel.close()
      await Promise.all([bench.lintel.server, bench.floor].map(stopServer))
    }
  } finally {
    rmSync(folder, { recursive: true, force: true })
    await server.drop(DATABASE)
  }
}

await withServer(main)
