import { Type } from '@sinclair/typebox'
import { defineEvents } from '../../events/registry.ts'
import { Id } from '../../lib/schema.ts'
import { Identity } from './schemas/identities.ts'

const Session = Type.Object({ id: Id, userId: Id })

export const sessionEvents = defineEvents('session', {
  started: Session,
  ended: Session,
  reuse_detected: Session,
})

/** Without the provider's subject: the log is kept for ever. */
const IdentityReference = Type.Object({ id: Id, userId: Id, provider: Identity.properties.provider })

export const identityEvents = defineEvents('identity', {
  linked: IdentityReference,
  unlinked: IdentityReference,
})
