import type { Domain } from '../../plugins/domains.ts'
import { products } from './products/index.ts'

/** In order of dependency. */
export const billing: Domain[] = [products]
