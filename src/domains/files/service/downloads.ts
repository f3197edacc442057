import type { FastifyInstance } from 'fastify'
import type { Caller } from '../../../events/caller.ts'
import { record } from '../../../events/record.ts'
import { orNotFound, requireVersion } from '../../../lib/errors.ts'
import { fileEvents } from '../events.ts'
import { findFile } from '../queries.ts'
import type { File } from '../schemas.ts'

/** Long enough to begin a download, short enough for a URL that is passed on by mistake. */
const URL_SECONDS = 600

export const contentOf = ({ id: key, name, type, sizeBytes, sha256 }: File) => ({ key, name, type, sizeBytes, sha256 })

/** Signing asks nobody over the network. Throws `not_found`, `precondition_failed`. */
export const signDownload = ({ storage }: FastifyInstance, caller: Caller, id: string, ifMatch: number[] | null) =>
  caller.transaction(async tx => {
    const file = orNotFound(await findFile(tx, { id }))
    requireVersion(file, ifMatch)
    const expiresAt = new Date(Date.now() + URL_SECONDS * 1000)
    await record(tx, caller, fileEvents.url_signed, file)
    return { url: await storage.downloadUrl(contentOf(file), expiresAt), expiresAt: expiresAt.toISOString() }
  })
