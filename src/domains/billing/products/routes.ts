import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { anyCaller, platform } from '../../../lib/access.ts'
import { orNotFound, problems } from '../../../lib/errors.ts'
import { route } from '../../../plugins/routes.ts'
import { findProduct, listProducts } from './queries.ts'
import { CreateProduct, Product, ProductList, ProductsQuery, UpdateProduct } from './schemas.ts'
import { createProduct, updateProduct } from './service.ts'

const read = anyCaller('products:read')
const write = { access: platform('admin'), affects: ['prices'] }

export const productRoutes: FastifyPluginAsyncTypebox = async app => {
  const { cache, database } = app
  const list = cache.define({
    name: 'product_lists',
    keyOf: (query: ProductsQuery) => JSON.stringify(query),
    load: query => listProducts(database, {}, {}, query),
    changedBy: ['product'],
  })
  const find = cache.define({
    name: 'products',
    keyOf: (id: string) => id,
    load: id => findProduct(database, { id }),
    of: 'product',
  })

  route(app, {
    method: 'POST',
    url: '/products',
    config: write,
    schema: {
      operationId: 'createProduct',
      summary: 'Create a product with its prices',
      body: CreateProduct,
      response: { 201: Product },
    },
    handler: ({ caller, body }) => createProduct(caller, body),
  })

  route(app, {
    method: 'GET',
    url: '/products',
    config: { access: read },
    schema: {
      operationId: 'listProducts',
      summary: 'The products, with their current prices',
      querystring: ProductsQuery,
      response: { 200: ProductList },
    },
    handler: async ({ query }) => orNotFound(await list(query)),
  })

  route(app, {
    method: 'GET',
    url: '/products/:id',
    config: { access: read },
    schema: {
      operationId: 'getProduct',
      summary: 'A product, with its current prices',
      response: { 200: Product, ...problems(404) },
    },
    handler: async ({ params }) => orNotFound(await find(params.id)),
  })

  route(app, {
    method: 'PATCH',
    url: '/products/:id',
    config: write,
    schema: {
      operationId: 'updateProduct',
      summary: 'Change a product, archive it, or replace its prices',
      description: 'A price never changes: one that is not given again is archived, and orders made with it keep it.',
      body: UpdateProduct,
      response: { 200: Product },
    },
    handler: ({ caller, params, body, ifMatch }) => updateProduct(caller, params.id, body, ifMatch),
  })
}
