import { defineEvents } from '../../../events/registry.ts'
import { Order } from './schemas.ts'

export const orderEvents = defineEvents('order', { created: Order, paid: Order, cancelled: Order, refunded: Order })
