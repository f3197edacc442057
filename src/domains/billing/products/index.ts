import type { Domain } from '../../../plugins/domains.ts'
import { demoPriceId, demoProductId, insertDemoProducts } from './demo.ts'
import { productRoutes } from './routes.ts'

export const products: Domain = {
  name: 'billing/products',
  tag: { name: 'products', description: 'What is sold, and for how much.' },
  scopes: { 'products:read': 'Read products and prices.' },
  demo: { ids: { products: demoProductId, prices: demoPriceId }, insert: insertDemoProducts },
  register: async app => void (await app.register(productRoutes)),
}
