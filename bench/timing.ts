import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import type pg from 'pg'
import { migrate } from '../src/database/migrate.ts'
import { hashPassword } from '../src/domains/auth/service/passwords.ts'
import { type Lintel, startLintel } from './contestants.ts'
import { type BenchServer, withClient, withServer } from './database.ts'
import { seed as seedOrganizations, type Target } from './seed.ts'
import { stopServer } from './servers.ts'
import { median } from './statistics.ts'
import { type Asker, Stopwatch, type Timed } from './timing/client.ts'
import { type Question, questions } from './timing/questions.ts'

// Measures whether response times reveal that an address has an account: known and unknown addresses in turn, over real
// HTTP.

const DATABASE = 'lintel_bench_timing'
/** A larger difference of the medians would reveal addresses to a client that asks often enough. */
const MAX_DIFFERENCE_MS = 1
const WARM_UP_PAIRS = 50

const { values } = parseArgs({
  options: {
    pairs: { type: 'string', default: '2000' },
    only: { type: 'string', default: questions.map(({ name }) => name).join() },
  },
})
const pairs = Number(values.pairs)
const asked = questions.filter(({ name }) => values.only.split(',').includes(name))

/**
 * All addresses have the same length, so that parsing takes the same time; each is used for one question of one pair.
 */
const address = (kind: string, question: Question, pair: number): string =>
  `${kind}-${questions.indexOf(question)}-${String(pair).padStart(6, '0')}@example.com`
const known = (question: Question, pair: number) => address('known', question, pair)
const stranger = (question: Question, pair: number) => address('other', question, pair)

/**
 * Inserts users who have registered and verified their address, with a hash of the current parameters. Returns the
 * organizations with their owners: many, since each may have only a few pending invitations.
 */
async function seed(client: pg.Client): Promise<Target[]> {
  await seedOrganizations(client, 0)
  const passwordHash = await hashPassword('the password of everybody')
  const emails = asked.flatMap(question =>
    Array.from({ length: WARM_UP_PAIRS + pairs }, (_, pair) => known(question, pair)),
  )
  await client.query(
    `with u as (
      insert into users (id, email, name, password_hash, email_verified_at)
      select gen_random_uuid(), email, 'Ada Lovelace', $2, now() from unnest($1::text[]) email returning id
    ), p as (insert into profiles (user_id) select id from u)
    insert into settings (user_id) select id from u`,
    [emails, passwordHash],
  )
  await client.query('vacuum analyze')
  return (await client.query('select organization_id as id, user_id as "userId" from members')).rows
}

function askersOf(lintel: Lintel, organizations: Target[]): Asker[] {
  const tokens = lintel.tokens({ tasks: [], pairs: [], hotPairs: [], projects: organizations })
  return organizations.map(({ id, userId }) => ({ organizationId: id, authorization: `Bearer ${tokens.get(userId)}` }))
}

interface Result {
  question: Question
  knownMs: number
  unknownMs: number
  /** Whether status and length were always equal for known and unknown addresses. */
  alike: boolean
}

async function measure(stopwatch: Stopwatch, question: Question, askers: Asker[]): Promise<Result> {
  const knowns: Timed[] = []
  const unknowns: Timed[] = []
  for (let pair = 0; pair < WARM_UP_PAIRS + pairs; pair++) {
    const turns: [Timed[], string][] = [
      [knowns, known(question, pair)],
      [unknowns, stranger(question, pair)],
    ]
    // The order is random, so that what the first request leaves behind does not affect only one kind.
    if (Math.random() < 1 / 2) turns.reverse()
    const asker = question.path.includes(':organization') ? askers[pair % askers.length] : undefined
    for (const [into, email] of turns) into.push(await stopwatch.ask(question, email, asker))
  }
  const medianOf = (timed: Timed[]) => median(timed.slice(WARM_UP_PAIRS).map(({ milliseconds }) => milliseconds))
  const shapes = new Set([...knowns, ...unknowns].map(({ status, bytes }) => `${status} ${bytes}`))
  return { question, knownMs: medianOf(knowns), unknownMs: medianOf(unknowns), alike: shapes.size === 1 }
}

const differenceMs = ({ knownMs, unknownMs }: Result): number => knownMs - unknownMs
const passes = (result: Result): boolean => result.alike && Math.abs(differenceMs(result)) < MAX_DIFFERENCE_MS

function print(results: Result[]): void {
  const line = (...cells: string[]) =>
    console.log(cells.map((cell, at) => (at ? cell.padStart(12) : cell.padEnd(12))).join(''))
  line('', 'known ms', 'unknown ms', 'difference', 'answers', '')
  for (const result of results) {
    const { question, knownMs, unknownMs, alike } = result
    const milliseconds = [knownMs, unknownMs, differenceMs(result)].map(value => value.toFixed(3))
    line(question.name, ...milliseconds, alike ? 'alike' : 'DIFFER', passes(result) ? 'ok' : 'TELLS')
  }
}

async function main(server: BenchServer): Promise<void> {
  const url = await server.create(DATABASE)
  const dataDirectory = mkdtempSync(join(tmpdir(), 'lintel-timing-'))
  await migrate(url)
  const organizations = await withClient(url, seed)
  // Mails are only stored in a folder; another client address each time avoids the limits by address.
  const lintel = await startLintel(url, { DATA_DIR: dataDirectory, TRUST_PROXY: '127.0.0.1/32' })
  const stopwatch = new Stopwatch(lintel.server.url)
  try {
    const results: Result[] = []
    for (const question of asked) {
      console.log(`${question.name}: ${pairs.toLocaleString('en')} pairs …`)
      // Access tokens are created for each question, since they would expire before the end.
      results.push(await measure(stopwatch, question, askersOf(lintel, organizations)))
    }
    print(results)
    process.exitCode = results.length > 0 && results.every(passes) ? 0 : 1
  } finally {
    stopwatch.close()
    await lintel.close()
    await stopServer(lintel.server)
    await server.drop(DATABASE)
    rmSync(dataDirectory, { recursive: true, force: true })
  }
}

await withServer(main)
