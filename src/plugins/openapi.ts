import swagger from '@fastify/swagger'
import swaggerUi from '@fastify/swagger-ui'
import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import { everyone } from '../lib/access.ts'
import { errorCatalogue } from '../lib/errors.ts'
import { escapeHtml, page } from '../lib/html.ts'
import { pageHeaders } from './security.ts'

async function openapi(app: FastifyInstance, { publicUrl }: { publicUrl: string }) {
  await app.register(swagger, {
    openapi: { openapi: '3.1.0', info: { title: 'Lintel', version: '1' }, servers: [{ url: publicUrl }] },
  })
  app.get('/openapi.json', { config: { access: everyone, page: true }, schema: { hide: true } }, async () => app.swagger())
  app.get(
    '/docs/errors',
    { config: { access: everyone, page: true }, schema: { hide: true }, helmet: pageHeaders },
    async (_request, reply) => {
      reply.type('text/html; charset=utf-8')
      return page('Errors', [...errorCatalogue].map(entry).join(''))
    },
  )
  void swaggerUi
}

const entry = ([code, { status, title, help = '' }]: [string, { status: number; title: string; help?: string }]) =>
  `<h2 id="${code}">${status} <code>${code}</code></h2><p>${escapeHtml(title)}. ${escapeHtml(help)}</p>`

export const openapiPlugin = fp(openapi, { name: 'openapi', dependencies: ['access'] })
