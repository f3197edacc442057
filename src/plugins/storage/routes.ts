import { Readable } from 'node:stream'
import { Type } from '@sinclair/typebox'
import type { FastifyInstance } from 'fastify'
import { everyone } from '../../lib/access.ts'
import { Measure } from '../../lib/measure.ts'
import { BYTES, Closed, Id } from '../../lib/schema.ts'
import { storageErrors } from '../../lib/storage-errors.ts'
import { streaming } from '../streamed-body.ts'
import { sendContent } from './content.ts'
import type { Grants } from './grants.ts'
import type { LocalStorage } from './local.ts'

export const SIGNED_PATH = '/storage'
/** A grant holds a name of up to 255 characters, each of up to 12 bytes in JSON, in base64. */
const GRANT_CHARACTERS = 6_000

const Key = Closed({ key: Id })
const Query = Closed({ grant: Type.String({ maxLength: GRANT_CHARACTERS }) })
const config = { access: everyone }
const schema = { hide: true, params: Key, querystring: Query }
const upload = { config, schema: { ...schema, consumes: [BYTES], body: Type.Unknown() } }

interface Signed {
  Params: { key: string }
  Querystring: { grant: string }
  Body: Readable | undefined
}

/** What an S3-compatible store does by itself: it serves, and takes the bytes of, whoever has a signed URL. */
export async function signedRoutes(
  app: FastifyInstance,
  { storage, grants }: { storage: LocalStorage; grants: Grants },
) {
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('*', (_request, payload, done) => done(null, payload))

  app.get<Signed>(`${SIGNED_PATH}/:key`, { config, schema }, async (request, reply) => {
    const { params, query } = request
    return sendContent(storage, request, reply, grants.verify(query.grant, 'GET', params.key))
  })

  app.put<Signed>(`${SIGNED_PATH}/:key`, upload, async ({ params, query, body }, reply) => {
    const { key, sizeBytes, sha256 } = grants.verify(query.grant, 'PUT', params.key)
    app.transfers(reply)
    await streaming(reply, () => storage.write(key, exactly({ sizeBytes, sha256 }, body ?? Readable.from([]))))
    return reply.send()
  })
}

/** Passes bytes on. Throws `upload_differs` as soon as they cannot be those that were announced. */
async function* exactly(announced: { sizeBytes: number; sha256: string }, source: Readable): AsyncGenerator<Buffer> {
  const measure = new Measure()
  // A request that is destroyed gets no answer.
  for await (const chunk of source.iterator({ destroyOnReturn: false })) {
    measure.add(chunk)
    if (measure.sizeBytes > announced.sizeBytes) throw storageErrors.upload_differs()
    yield chunk
  }
  const { sizeBytes, sha256 } = await measure.result()
  if (sizeBytes !== announced.sizeBytes || sha256 !== announced.sha256) throw storageErrors.upload_differs()
}
