import type { Written } from '../../lib/schema.ts'
import { type Listed, type Page, plainPage } from '../list/plain-page.ts'
import { camelCase, type Field, type Row, type Rows } from '../query.ts'
import { compileWriter, type WriteRow } from './json.ts'
import { compileReader, notDescribed, Plan, type ReadRow } from './rows.ts'
import { Scratch } from './scratch.ts'
import type { WireRow } from './wire.ts'

/** The column with the number of the caller in a shared statement. It is the first column when it is present. */
const NUMBER = 'n'
const BEGINNING = '{"data":['

interface Columns {
  shared: boolean
  /** Index of the id column. A caller without rows still gets one row in which it is null. */
  id: number
  read: ReadRow
  write: WriteRow
}

/** How to turn the rows of one statement into pages. */
export class PagePlan extends Plan {
  readonly list: Listed
  columns: Columns = { shared: false, id: 0, read: notDescribed, write: notDescribed }

  constructor(list: Listed) {
    super()
    this.list = list
  }

  protected override learn(fields: Field[]): void {
    const { id, item } = this.list
    this.columns = {
      shared: fields[0]?.name === NUMBER,
      id: fields.findIndex(({ name }) => camelCase(name) === id.key),
      read: compileReader(fields),
      write: compileWriter(fields, item),
    }
  }

  /** Returns one page for each of `limits`; undefined where the caller may not see the list. */
  rows(limits: number[]): Rows<Page | undefined> {
    return new PageRows(this, limits)
  }
}

class PageRows implements Rows<Page | undefined> {
  readonly plan: PagePlan
  readonly #limits: number[]
  readonly #pages: Sheet[]

  constructor(plan: PagePlan, limits: number[]) {
    this.plan = plan
    this.#limits = limits
    this.#pages = limits.map(limit => new Sheet(plan.list, limit))
  }

  add(row: WireRow): void {
    const { columns } = this.plan
    this.#pages[columns.shared ? row.number : 0]?.add(row, columns)
  }

  end(): (Page | undefined)[] {
    return this.#pages.map(page => page.end())
  }

  of(rows: Row[]): (Page | undefined)[] {
    return this.#limits.map(limit => plainPage(this.plan.list, limit, rows))
  }
}

/** One page, filled row by row. */
class Sheet {
  readonly #limit: number
  readonly #feed: boolean
  #scratch: Scratch | undefined
  #count = 0
  #visible: boolean
  #hasMore = false
  #last: Row | undefined

  constructor({ parent, feed = false }: Listed, limit: number) {
    this.#limit = limit
    this.#feed = feed
    this.#visible = parent === undefined
  }

  add(row: WireRow, columns: Columns): void {
    this.#visible = true
    if (row.isNull(columns.id)) return
    if (this.#count === this.#limit) {
      this.#hasMore = true
      return
    }
    this.#count++
    if (this.#scratch === undefined) this.#scratch = Scratch.take(BEGINNING)
    else this.#scratch.append(',')
    columns.write(row, this.#scratch)
    if (this.#feed || this.#count === this.#limit) this.#last = columns.read(row)
  }

  end(): Page | undefined {
    if (!this.#visible) return undefined
    return { data: new Unfinished(this.#scratch ?? Scratch.take(BEGINNING)), hasMore: this.#hasMore, last: this.#last }
  }
}

/**
 * The JSON of a list up to its meta. One string for the whole list costs a third less garbage collection than one for
 * the rows and one for the list.
 */
class Unfinished implements Written<never> {
  #written: Scratch | string

  constructor(scratch: Scratch) {
    this.#written = scratch
  }

  complete(meta: string): string {
    if (typeof this.#written === 'string') return this.#written
    this.#written.append(`],"meta":${meta}}`)
    this.#written = this.#written.end()
    return this.#written
  }
}
