import { defineEvents } from '../../../events/registry.ts'
import { Product } from './schemas.ts'

export const productEvents = defineEvents('product', { created: Product, updated: Product })
