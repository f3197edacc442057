import { defineEvents } from '../../events/registry.ts'
import { ApiKey } from './schemas.ts'

export const apiKeyEvents = defineEvents('api_key', {
  created: ApiKey,
  updated: ApiKey,
  rotated: ApiKey,
  deleted: ApiKey,
})
