import { join } from 'node:path'
import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import type { Config } from '../../config.ts'
import type { ErrorFactory } from '../../lib/errors.ts'
import { sendContent } from './content.ts'
import { storageErrors } from './errors.ts'
import { Grants } from './grants.ts'
import { LocalStorage } from './local.ts'
import { SIGNED_PATH, signedRoutes } from './routes.ts'
import type { Content, Storage } from './storage.ts'

declare module 'fastify' {
  interface FastifyInstance {
    storage: Storage
    downloads: {
      /** Answers with the bytes of an object, as `Range` and the preconditions ask. */
      send(request: FastifyRequest, reply: FastifyReply, content: Content): Promise<FastifyReply>
      /** What `send` throws. */
      problems: readonly ErrorFactory[]
    }
  }
}

type Options = Pick<Config, 'dataDirectory' | 'jwtSecrets' | 'publicUrl'>

async function storage(app: FastifyInstance, { dataDirectory, jwtSecrets, publicUrl }: Options) {
  const grants = new Grants(jwtSecrets)
  const local = new LocalStorage(join(dataDirectory, 'files'), { grants, url: `${publicUrl}${SIGNED_PATH}` })
  app.decorate('storage', local)
  app.decorate('downloads', {
    send: (request, reply, content) => sendContent(local, request, reply, content),
    problems: [storageErrors.range_not_satisfiable],
  })
  await app.register(signedRoutes, { storage: local, grants })
}

export const storagePlugin = fp(storage, { name: 'storage', dependencies: ['access'] })
