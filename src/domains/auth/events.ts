import { Type } from '@sinclair/typebox'
import { defineEvents } from '../../events/registry.ts'
import { Id } from '../../lib/schema.ts'

const Session = Type.Object({ id: Id, userId: Id })

export const sessionEvents = defineEvents('session', {
  started: Session,
  ended: Session,
  reuse_detected: Session,
})
