import { Type } from '@sinclair/typebox'
import { defineEvents } from '../../events/registry.ts'
import { Id } from '../../lib/schema.ts'
import { Avatar } from './schemas.ts'

const AvatarReference = Type.Object(
  { id: Id, ...Type.Pick(Avatar, ['userId', 'status']).properties },
  { title: 'AvatarReference' },
)

export const avatarEvents = defineEvents('avatar', { changed: AvatarReference, removed: AvatarReference })
