import type pg from 'pg'
import { camelCase } from '../../src/database/query.ts'

/** A column as PostgreSQL describes it before a statement runs. */
export interface DescribedColumn {
  name: string
  type: string
  /** Null for an expression, about which the catalogue knows nothing. */
  nullable: boolean | null
}

interface Field {
  name: string
  tableID: number
  columnID: number
  dataTypeID: number
}
interface Connection {
  parse(statement: { name: string; text: string; types: number[] }): void
  describe(target: { type: 'S'; name: string }): void
  sync(): void
}

/** Prepares a statement without running it; implements the driver's interface of a query. */
class Description {
  readonly #text: string
  readonly #done: (error: Error | null, fields: Field[]) => void
  #fields: Field[] = []
  #error: Error | null = null

  constructor(text: string, done: (error: Error | null, fields: Field[]) => void) {
    this.#text = text
    this.#done = done
  }

  submit(connection: Connection): void {
    connection.parse({ name: '', text: this.#text, types: [] })
    connection.describe({ type: 'S', name: '' })
    connection.sync()
  }

  handleRowDescription({ fields }: { fields: Field[] }): void {
    this.#fields = fields
  }

  handleError(error: Error): void {
    this.#error = error
    this.#done(error, [])
  }

  handleReadyForQuery(): void {
    if (!this.#error) this.#done(null, this.#fields)
  }
}

const describe = (client: pg.ClientBase, text: string): Promise<Field[]> =>
  new Promise((resolve, reject) => {
    client.query(new Description(text, (error, fields) => (error ? reject(error) : resolve(fields))) as never)
  })

interface Column {
  table: string
  notNull: boolean
}

/** What the catalogue says about types and columns. */
export class Catalogue {
  readonly #client: pg.ClientBase
  readonly #types = new Map<number, string>()
  readonly #columns = new Map<string, Column>()

  private constructor(client: pg.ClientBase) {
    this.#client = client
  }

  static async read(client: pg.ClientBase): Promise<Catalogue> {
    const catalogue = new Catalogue(client)
    const types = await client.query('select oid::int, typname, typelem::int from pg_type')
    for (const { oid, typname } of types.rows) catalogue.#types.set(oid, typname)
    const columns = await client.query(`select attrelid::int as id, attnum, attnotnull, attrelid::regclass::text as name
      from pg_attribute where attrelid >= 16384 and attnum > 0`)
    for (const { id, attnum, attnotnull, name } of columns.rows)
      catalogue.#columns.set(`${id} ${attnum}`, { table: name, notNull: attnotnull })
    return catalogue
  }

  async describe(text: string): Promise<DescribedColumn[]> {
    const fields = await describe(this.#client, text)
    return fields.map(({ name, tableID, columnID, dataTypeID }) => {
      const column = this.#columns.get(`${tableID} ${columnID}`)
      return {
        name: camelCase(name),
        type: this.#types.get(dataTypeID) ?? String(dataTypeID),
        nullable: column ? !column.notNull || isOuter(text, column.table) : null,
      }
    })
  }
}

/** On the optional side of an outer join every column may be null. */
const isOuter = (text: string, table: string): boolean =>
  new RegExp(`\\b(left|full) join "?${table}"?\\b`).test(text.replace(/\s+/g, ' '))
