import type { Transaction } from '../../../database/client.ts'
import type { Caller } from '../../../events/caller.ts'
import { record } from '../../../events/record.ts'
import { invalid, orNotFound, requireVersion } from '../../../lib/errors.ts'
import { newId } from '../../../lib/ids.ts'
import { productEvents } from './events.ts'
import { archivePrices, findProduct, insertPrices, insertProduct, lockProduct, updateProductRow } from './queries.ts'
import type { CreateProduct, NewPrice, Price, UpdateProduct } from './schemas.ts'

/** Completes prices with ids and periods. Throws `validation_failed` for half a period and for two of one period. */
function completed(given: readonly NewPrice[]): Price[] {
  const taken = new Set<string>()
  return given.map(({ currency, amountCents, interval = null, intervalCount }, at) => {
    if (interval === null && intervalCount != null) throw invalid(`#/prices/${at}/intervalCount`, 'needs an interval')
    const count = interval === null ? null : (intervalCount ?? 1)
    const place = placeOf({ currency, interval, intervalCount: count })
    if (taken.has(place)) throw invalid(`#/prices/${at}`, 'has the currency and the period of another price')
    taken.add(place)
    return { id: newId(), currency, amountCents, interval, intervalCount: count }
  })
}

const placeOf = ({ currency, interval, intervalCount }: Omit<Price, 'id' | 'amountCents'>): string =>
  `${currency} ${interval} ${intervalCount}`

const isSame = (a: Price) => (b: Price) => placeOf(a) === placeOf(b) && a.amountCents === b.amountCents

/** Throws `validation_failed`. */
export const createProduct = (
  caller: Caller,
  { name, description = null, taxBasisPoints = 0, prices }: CreateProduct,
) =>
  caller.transaction(async tx => {
    const id = newId()
    const rows = completed(prices)
    await insertProduct(tx, { id, name, description, taxBasisPoints })
    await insertPrices(tx, id, rows)
    const product = orNotFound(await findProduct(tx, { id }))
    await record(tx, caller, productEvents.created, product)
    return product
  })

/** Throws `not_found`, `precondition_failed`, `validation_failed`. */
export const updateProduct = (
  caller: Caller,
  id: string,
  { prices, ...change }: UpdateProduct,
  ifMatch: number[] | null,
) =>
  caller.transaction(async tx => {
    requireVersion(orNotFound(await lockProduct(tx, { id })), ifMatch)
    if (prices) await replacePrices(tx, id, completed(prices))
    const unset = { name: '', description: null, status: '', taxBasisPoints: 0 }
    await updateProductRow(tx, Object.keys(change), { ...unset, ...change, id })
    const product = orNotFound(await findProduct(tx, { id }))
    await record(tx, caller, productEvents.updated, product)
    return product
  })

/** Archives the prices that are not among the new ones; a price that is given again as it was stays. */
async function replacePrices(tx: Transaction, productId: string, given: Price[]): Promise<void> {
  const { prices: current } = orNotFound(await findProduct(tx, { id: productId }))
  const gone = current.filter(price => !given.some(isSame(price)))
  const added = given.filter(price => !current.some(isSame(price)))
  if (gone.length > 0) await archivePrices(tx, { ids: gone.map(({ id }) => id) })
  if (added.length > 0) await insertPrices(tx, productId, added)
}
