import { defineEvents } from '../../events/registry.ts'
import { Attachment } from './schemas.ts'

export const attachmentEvents = defineEvents('attachment', { created: Attachment, deleted: Attachment })
