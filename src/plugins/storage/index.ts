import { join } from 'node:path'
import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import { LocalStorage } from './local.ts'
import type { Storage } from './storage.ts'

declare module 'fastify' {
  interface FastifyInstance {
    storage: Storage
  }
}

async function storage(app: FastifyInstance, { dataDirectory }: { dataDirectory: string }) {
  app.decorate('storage', new LocalStorage(join(dataDirectory, 'files')))
}

export const storagePlugin = fp(storage, { name: 'storage' })
