import { join } from 'node:path'
import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import type { Config } from '../../config.ts'
import type { ErrorFactory } from '../../lib/errors.ts'
import { storageErrors } from '../../lib/storage-errors.ts'
import { sendContent } from './content.ts'
import { Grants } from './grants.ts'
import { LocalStorage } from './local.ts'
import { uploadHooks } from './receive.ts'
import { SIGNED_PATH, signedRoutes } from './routes.ts'
import { openS3 } from './s3.ts'
import type { Content, Storage } from './storage.ts'

declare module 'fastify' {
  interface FastifyInstance {
    storage: Storage
    /** What the storage holds for rows of the domains; all other bytes are orphans. */
    storedKeys: StoredKeys
    /** Makes the hooks of a route that takes one file in a multipart body. */
    uploadHooks: ReturnType<typeof uploadHooks>
    downloads: {
      /** Answers with the bytes of an object, as `Range` and the preconditions ask. */
      send(request: FastifyRequest, reply: FastifyReply, content: Content): Promise<FastifyReply>
      /** What `send` throws. */
      problems: readonly ErrorFactory[]
    }
  }
}

type FindKeys = (ids: string[]) => Promise<{ id: string }[]>

class StoredKeys {
  readonly #finders: FindKeys[] = []

  /** `find` returns those of some keys that a row of the domain names. */
  define(find: FindKeys): void {
    this.#finders.push(find)
  }

  /** Returns those of `ids` that some row names. */
  async kept(ids: string[]): Promise<Set<string>> {
    const found = await Promise.all(this.#finders.map(find => find(ids)))
    return new Set(found.flat().map(({ id }) => id))
  }
}

type Options = Pick<Config, 'dataDirectory' | 'jwtSecrets' | 'publicUrl' | 's3'>

async function storage(app: FastifyInstance, options: Options) {
  const chosen = await open(app, options)
  app.decorate('storage', chosen)
  app.decorate('storedKeys', new StoredKeys())
  // Set by the hooks before a handler reads it.
  app.decorateRequest('upload', null as never)
  app.decorate('uploadHooks', uploadHooks(chosen))
  app.decorate('downloads', {
    send: (request, reply, content) => sendContent(chosen, request, reply, content),
    problems: [storageErrors.range_not_satisfiable, storageErrors.storage_unavailable],
  })
}

async function open(app: FastifyInstance, { dataDirectory, jwtSecrets, publicUrl, s3 }: Options): Promise<Storage> {
  const grants = new Grants(jwtSecrets)
  const signed = { grants, url: `${publicUrl}${SIGNED_PATH}` }
  if (s3 === null) {
    const local = new LocalStorage(join(dataDirectory, 'files'), signed)
    await local.prepare()
    await app.register(signedRoutes, { storage: local, grants })
    return local
  }
  const spool = new LocalStorage(join(dataDirectory, 'spool'), signed)
  await spool.prepare()
  const store = await openS3(s3, spool)
  app.addHook('onClose', async () => store.close())
  return store
}

export const storagePlugin = fp(storage, { name: 'storage', dependencies: ['access', 'buffers'] })
