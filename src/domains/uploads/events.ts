import { defineEvents } from '../../events/registry.ts'
import { Upload } from './schemas.ts'

export const uploadEvents = defineEvents('upload', { created: Upload, deleted: Upload, expired: Upload })
