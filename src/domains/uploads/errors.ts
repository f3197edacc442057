import { defineErrors } from '../../lib/errors.ts'

export const uploadErrors = defineErrors({
  upload_incomplete: {
    status: 409,
    title: 'The bytes have not arrived',
    help: 'The storage has no bytes of this upload yet. Send them to its URL, then complete it again.',
  },
  upload_completed: {
    status: 409,
    title: 'The upload is completed',
    help: 'A file was made of it and holds its bytes now. Delete the file, which has the same id.',
  },
})
