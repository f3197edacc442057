import { eq, sql } from 'drizzle-orm'
import { defineList } from '../../../database/list.ts'
import { one, type Params, statement, statements } from '../../../database/statement.ts'
import { contains } from '../../../database/text.ts'
import { type Price, Product } from './schemas.ts'
import { prices, products } from './tables.ts'

type ProductRow = Product & { version: number }

/** The columns of a product, with its current prices in the order in which they were made. */
const columns = sql`id, name, description, status, tax_basis_points, (
  select coalesce(json_agg(json_build_object('id', c.id, 'currency', c.currency, 'amountCents', c.amount_cents,
    'interval', c.interval, 'intervalCount', c.interval_count) order by c.id), '[]')
  from ${prices} c where c.product_id = products.id and c.archived_at is null) as prices, version, created_at, updated_at`

export const findProduct = one(
  statement(
    'products.find',
    (_, $: Params<{ id: string }>) => sql<ProductRow>`select ${columns} from ${products} where id = ${$.id}`,
  ),
)

/** Finds those of the products that exist. */
export const findProducts = statement(
  'products.find_some',
  (_, $: Params<{ ids: string[] }>) => sql<ProductRow>`
    select ${columns} from ${products} where id = any(${$.ids}::uuid[])`,
)

type NewProduct = Pick<Product, 'id' | 'name' | 'description' | 'taxBasisPoints'>

export const insertProduct = statement(
  'products.insert',
  (_, $: Params<NewProduct>) => sql`
    insert into ${products} (id, name, description, tax_basis_points)
    values (${$.id}, ${$.name}, ${$.description}, ${$.taxBasisPoints})`,
)

/** Inserts prices, given as a JSON array. */
const insertPriceRows = statement(
  'products.insert_prices',
  (_, $: Params<{ productId: string; prices: string }>) => sql`
    insert into ${prices} (id, product_id, currency, amount_cents, interval, interval_count)
    select p.id, ${$.productId}::uuid, p.currency, p."amountCents", p.interval, p."intervalCount"
    from jsonb_to_recordset(${$.prices}::jsonb)
      as p(id uuid, currency text, "amountCents" bigint, interval text, "intervalCount" int)`,
)

export const insertPrices: (
  on: Parameters<typeof insertPriceRows>[0],
  productId: string,
  rows: readonly Price[],
) => Promise<unknown> = (on, productId, rows) => insertPriceRows(on, { productId, prices: JSON.stringify(rows) })

export const archivePrices = statement(
  'products.archive_prices',
  (_, $: Params<{ ids: string[] }>) => sql`
    update ${prices} set archived_at = now() where id = any(${$.ids}::uuid[]) and archived_at is null`,
)

/** Locks the product until the commit. */
export const lockProduct = one(
  statement(
    'products.lock',
    (_, $: Params<{ id: string }>) => sql<{ version: number }>`
      select version from ${products} where id = ${$.id} for no key update`,
  ),
)

type Change = Omit<NewProduct, 'id'> & { status: string }

/** `changed` names the columns to set, so that null can be written; the version is counted in any case. */
export const updateProductRow = statements(
  'products.update',
  (_, $: Params<Change & { id: string }>, changed: readonly string[]) => {
    const set: Record<string, unknown> = {
      name: sql`name = ${$.name}`,
      description: sql`description = ${$.description}`,
      status: sql`status = ${$.status}`,
      taxBasisPoints: sql`tax_basis_points = ${$.taxBasisPoints}`,
    }
    const changes = changed.map(column => sql`${set[column]}, `)
    return sql`
      update ${products} set ${sql.join(changes)}version = version + 1, updated_at = now() where id = ${$.id}`
  },
)

const byId = { on: products.id, key: 'id', type: 'uuid' } as const

export const listProducts = defineList<Product, object, { status?: string; search?: string }>({
  name: 'products.list',
  item: Product,
  columns,
  from: sql`${products}`,
  where: () => sql`true`,
  id: byId,
  sorts: { createdAt: byId },
  defaultSort: '-createdAt',
  filters: {
    status: $ => eq(products.status, sql`${$.status}`),
    search: $ => contains(products.name, $.search),
  },
})
