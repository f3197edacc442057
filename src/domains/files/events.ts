import { defineEvents } from '../../events/registry.ts'
import { File } from './schemas.ts'

export const fileEvents = defineEvents('file', { created: File, url_signed: File, deleted: File })
