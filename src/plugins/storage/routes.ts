import { Type } from '@sinclair/typebox'
import type { FastifyInstance } from 'fastify'
import { everyone } from '../../lib/access.ts'
import { Closed, Id } from '../../lib/schema.ts'
import { sendContent } from './content.ts'
import type { Grants } from './grants.ts'
import type { LocalStorage } from './local.ts'

export const SIGNED_PATH = '/storage'
/** A grant holds a name of up to 255 characters, each of up to 12 bytes in JSON, in base64. */
const GRANT_CHARACTERS = 6_000

const Key = Closed({ key: Id })
const Query = Closed({ grant: Type.String({ maxLength: GRANT_CHARACTERS }) })
const options = { config: { access: everyone }, schema: { hide: true, params: Key, querystring: Query } }

interface Signed {
  Params: { key: string }
  Querystring: { grant: string }
}

/** What an S3-compatible store does by itself: it serves whoever has a signed URL. */
export async function signedRoutes(
  app: FastifyInstance,
  { storage, grants }: { storage: LocalStorage; grants: Grants },
) {
  app.get<Signed>(`${SIGNED_PATH}/:key`, options, async (request, reply) => {
    const { params, query } = request
    return sendContent(storage, request, reply, grants.verify(query.grant, 'GET', params.key))
  })
}
