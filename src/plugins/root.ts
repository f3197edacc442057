import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import { everyone } from '../lib/access.ts'

/** It uses only presentation attributes, because the content security policy of API responses allows no style. */
const ICON = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16"><rect width="16" height="16" rx="3" fill="#1f6feb"/><path d="M5 3v10h6" fill="none" stroke="#fff" stroke-width="2"/></svg>`
const ICON_CACHE = 'public, max-age=604800'

/** Answers `/`, which leads to the documentation, and the favicon, which browsers request by themselves. */
async function root(app: FastifyInstance) {
  const options = { config: { access: everyone }, schema: { hide: true } }
  app.get('/', options, (_request, reply) => reply.redirect('/docs'))
  app.get('/favicon.ico', options, (_request, reply) =>
    reply.type('image/svg+xml').header('cache-control', ICON_CACHE).send(ICON),
  )
}

export const rootPlugin = fp(root, { name: 'root', dependencies: ['access'] })
