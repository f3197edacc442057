import type { Transaction } from '../../../database/client.ts'
import type { Caller } from '../../../events/caller.ts'
import { record } from '../../../events/record.ts'
import { demoId } from '../../../lib/demo.ts'
import { orNotFound } from '../../../lib/errors.ts'
import { productEvents } from './events.ts'
import { findProduct, insertPrices, insertProduct } from './queries.ts'
import type { Price } from './schemas.ts'

export const demoProductId = demoId(200)
export const demoPlanId = demoId(201)
export const demoPriceId = demoId(202)

const once = { interval: null, intervalCount: null }
const monthly = { interval: 'month', intervalCount: 1 } as const
const TAX = 1900

const catalogue: { id: string; name: string; description: string; prices: Price[] }[] = [
  {
    id: demoProductId,
    name: 'Handbook',
    description: 'How to run the service, printed.',
    prices: [
      { id: demoPriceId, currency: 'EUR', amountCents: 2_900, ...once },
      { id: demoId(203), currency: 'JPY', amountCents: 4_800, ...once },
      { id: demoId(204), currency: 'KWD', amountCents: 9_750, ...once },
    ],
  },
  {
    id: demoPlanId,
    name: 'Team plan',
    description: 'Everything, for a team.',
    prices: [
      { id: demoId(205), currency: 'EUR', amountCents: 4_900, ...monthly },
      { id: demoId(206), currency: 'EUR', amountCents: 49_000, interval: 'year', intervalCount: 1 },
    ],
  },
]

export async function insertDemoProducts(tx: Transaction, caller: Caller): Promise<void> {
  for (const { prices, ...product } of catalogue) {
    await insertProduct(tx, { ...product, taxBasisPoints: TAX })
    await insertPrices(tx, product.id, prices)
    await record(tx, caller, productEvents.created, orNotFound(await findProduct(tx, { id: product.id })))
  }
}
