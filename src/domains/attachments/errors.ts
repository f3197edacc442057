import { defineErrors } from '../../lib/errors.ts'

export const attachmentErrors = defineErrors({
  already_attached: {
    status: 409,
    title: 'The file is attached already',
    help: 'A file is attached to a thing once, and this one is. List the attachments to find it.',
  },
})
