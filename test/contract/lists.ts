import { newId } from '../../src/lib/ids.ts'
import type { Answer } from '../helpers/call.ts'
import type { Json, Operation } from './specification.ts'

/** Requests a list with a query. */
export type Ask = (query: Record<string, string>) => Promise<Answer>

const PAGE = '100'
const SHORT_PAGE = 2
/** The number of pages that are read one by one. */
const PAGES = 4
const VALUES = 3
const WORDS = 6
const PAGING = ['limit', 'cursor', 'page', 'count', 'sort', 'organizationId']

const idOf = (row: Json): string => row.id ?? row.userId ?? JSON.stringify(row)
const idsOf = (rows: Json[]): string[] => rows.map(idOf).sort()

/** Reads all rows, page by page. */
export async function readAll(ask: Ask, query: Record<string, string> = {}): Promise<Json[]> {
  const rows: Json[] = []
  for (let cursor: string | undefined; ; ) {
    const { status, body, text } = await ask({ limit: PAGE, ...query, ...(cursor ? { cursor } : {}) })
    if (status !== 200) throw new Error(`${JSON.stringify(query)} is answered ${status}: ${text}`)
    rows.push(...body.data)
    if (!body.meta.hasMore) return rows
    cursor = body.meta.nextCursor
  }
}

/** Returns what is wrong with a list: rows of other parents, pages, totals, sorts and filters. */
export async function listFaults(operation: Operation, params: Record<string, string>, ask: Ask): Promise<string[]> {
  const rows = await readAll(ask)
  const names = operation.parameters.filter(parameter => parameter.in === 'query')
  const faults = [...parentFaults(operation, params, rows), ...(rows.length === 0 ? ['the list is empty'] : [])]
  if (names.some(({ name }) => name === 'count')) faults.push(...(await totalFaults(ask, rows, {})))
  for (const sort of names.find(({ name }) => name === 'sort')?.schema.enum ?? [])
    faults.push(...(await sortFaults(ask, rows, sort)))
  for (const { name, schema } of names.filter(({ name }) => !PAGING.includes(name)))
    faults.push(...(await filterFaults(ask, rows, name, schema)))
  return faults
}

/** A row of `/projects/{id}/tasks` must belong to that project, if it names a project. */
function parentFaults({ path }: Operation, params: Record<string, string>, rows: Json[]): string[] {
  const [, collection = '', name = ''] = /([\w-]+)\/\{(\w+)\}\/[\w-]+$/.exec(path) ?? []
  const key = `${collection.replace(/ies$/, 'y').replace(/s$/, '')}Id`
  return rows
    .filter(row => row[key] !== undefined && row[key] !== params[name])
    .map(row => `${idOf(row)} is of another ${key}: ${row[key]}`)
}

async function totalFaults(ask: Ask, rows: Json[], query: Record<string, string>): Promise<string[]> {
  const { body } = await ask({ ...query, page: '1', count: 'exact' })
  const { total } = body.meta
  return total === rows.length ? [] : [`counts ${total} of ${rows.length} rows for ${JSON.stringify(query)}`]
}

async function sortFaults(ask: Ask, rows: Json[], sort: string): Promise<string[]> {
  const known = new Set(rows.map(idOf))
  const seen: string[] = []
  for (let cursor: string | undefined, page = 0; page < PAGES; page++) {
    const { body } = await ask({ sort, limit: String(SHORT_PAGE), ...(cursor ? { cursor } : {}) })
    seen.push(...body.data.map(idOf))
    if (!body.meta.hasMore) break
    cursor = body.meta.nextCursor
  }
  const least = Math.min(rows.length, SHORT_PAGE * PAGES)
  return [
    ...seen.filter((id, at) => seen.indexOf(id) !== at).map(id => `sorted by ${sort} repeats ${id}`),
    ...seen.filter(id => !known.has(id)).map(id => `sorted by ${sort} has ${id} besides`),
    ...(seen.length < least ? [`sorted by ${sort} has ${seen.length} rows of ${least}`] : []),
  ]
}

type Matches = (row: Json) => boolean

async function filterFaults(ask: Ask, rows: Json[], name: string, schema: Json): Promise<string[]> {
  if (name === 'search') return searchFaults(ask, rows)
  const cases = casesOf(rows, name, schema)
  if (!cases) {
    const known =
      'a property of the row, `…Before` or `…After` a number or one that ends with At, `since`, `until` or `search`'
    return [`what does the filter ${name} compare? test/contract/lists.ts knows ${known}`]
  }
  const faults: string[] = []
  for (const [value, matches] of cases) {
    const query = { [name]: value }
    const expected = rows.filter(matches)
    const found = await readAll(ask, query)
    const [more, less] = [idsOf(found), idsOf(expected)]
    faults.push(
      ...more.filter(id => !less.includes(id)).map(id => `${JSON.stringify(query)} lets ${id} through`),
      ...less.filter(id => !more.includes(id)).map(id => `${JSON.stringify(query)} leaves out ${id}`),
    )
    faults.push(...(await countFaults(ask, found, query)))
  }
  return faults
}

/** Checks the total of a list; a feed has none. */
async function countFaults(ask: Ask, rows: Json[], query: Record<string, string>): Promise<string[]> {
  const { status } = await ask({ ...query, count: 'exact' })
  return status === 200 ? totalFaults(ask, rows, query) : []
}

/**
 * Returns values to filter by, each with a test for the rows that match; always one that matches none, since otherwise
 * a filter that does nothing would pass.
 */
function casesOf(rows: Json[], name: string, schema: Json): [string, Matches][] | undefined {
  const [, stem, side] = /^(\w+)(Before|After)$/.exec(name) ?? []
  if (stem && rows.some(row => typeof row[stem] === 'number')) return numbers(rows, row => row[stem], side === 'Before')
  if (stem) return times(rows, row => row[`${stem}At`], side === 'Before')
  if (name === 'since' || name === 'until') return times(rows, row => row.createdAt, name === 'until', name === 'since')
  const read = readerOf(rows, name)
  if (!read) return undefined
  const present = [...new Set(rows.map(read).filter(value => value != null))]
  const values = [...present.slice(0, VALUES), ...absentFrom(present, schema)]
  return values.map(value => [String(value), row => read(row) === value])
}

function readerOf(rows: Json[], name: string): ((row: Json) => Json) | undefined {
  if (rows.some(row => row[name] !== undefined)) return row => row[name]
  const inner = name.replace(/Id$/, '')
  return rows.some(row => row[inner]?.id !== undefined) ? row => row[inner]?.id : undefined
}

function absentFrom(present: Json[], schema: Json): Json[] {
  if (schema.enum) return schema.enum.filter((value: Json) => !present.includes(value))
  if (schema.format === 'uuid') return [newId()]
  if (schema.type === 'integer') {
    const { minimum = 0, maximum = 1000 } = schema
    const all = Array.from({ length: Math.min(maximum - minimum, 100) + 1 }, (_, n) => minimum + n)
    return all.filter(value => !present.includes(value)).slice(0, 1)
  }
  return schema.type === 'string' ? [newId().slice(0, schema.maxLength)] : []
}

/** The list decides which fields are searched: every row found must contain the word, and some words must find rows. */
async function searchFaults(ask: Ask, rows: Json[]): Promise<string[]> {
  const met = rows.flatMap(row => textsOf(row).flatMap(text => text.match(/[a-z0-9]{8,}/g) ?? []))
  // The most frequent first: the rarest are of slugs, which are not searched.
  const words = [...Map.groupBy(met, word => word)]
    .toSorted(([, a], [, b]) => b.length - a.length)
    .map(([word]) => word)
  const faults: string[] = []
  let findings = 0
  for (const word of [...words.slice(0, WORDS), newId().replaceAll('-', '')]) {
    const query = { search: word }
    const found = await readAll(ask, query)
    findings += found.length
    const strays = found.filter(row => !textsOf(row).some(text => text.includes(word)))
    faults.push(...strays.map(row => `${JSON.stringify(query)} lets ${idOf(row)} through`))
    faults.push(...(await countFaults(ask, found, query)))
  }
  return findings > 0 ? faults : [...faults, `search finds none of ${words.slice(0, WORDS).join()}`]
}

/** Returns the texts that people wrote: no ids and times. */
const textsOf = (row: Json): string[] =>
  Object.values(row)
    .filter(value => typeof value === 'string')
    .map(text => text.toLowerCase())
    .filter(text => !/^[0-9a-f-]{36}$|^\d{4}-\d\d-\d\dt/.test(text))

/** Returns a time in the middle of all and one beyond them: before, after, and equal. */
function times(
  rows: Json[],
  read: (row: Json) => string | null,
  before: boolean,
  inclusive = false,
): [string, Matches][] | undefined {
  const present = [...new Set(rows.map(read).filter(time => typeof time === 'string'))].sort()
  if (present.length === 0) return undefined
  const moments = [present[Math.floor(present.length / 2)] as string, before ? EARLY : LATE]
  return moments.map(moment => [
    moment,
    row => {
      const time = read(row)
      if (typeof time !== 'string') return false
      return before ? time < moment : inclusive ? time >= moment : time > moment
    },
  ])
}

/** Returns a number in the middle of all and one beyond them. */
function numbers(rows: Json[], read: (row: Json) => number, before: boolean): [string, Matches][] {
  const present = rows.map(read).sort((a, b) => a - b)
  const bounds = [present[Math.floor(present.length / 2)] as number, before ? 0 : (present.at(-1) as number)]
  return bounds.map(bound => [String(bound), row => (before ? read(row) < bound : read(row) > bound)])
}

const EARLY = '2001-01-01T00:00:00.000Z'
const LATE = '2199-01-01T00:00:00.000Z'
