import type { Domain } from '../../plugins/domains.ts'
import { invoices } from './invoices/index.ts'
import { ledger } from './ledger/index.ts'
import { orders } from './orders/index.ts'
import { payments } from './payments/index.ts'
import { products } from './products/index.ts'
import { subscriptions } from './subscriptions/index.ts'

/** In order of dependency. */
export const billing: Domain[] = [products, ledger, orders, invoices, payments, subscriptions]
