import { defineErrors } from '../../lib/errors.ts'

export const avatarErrors = defineErrors({
  avatar_too_large: {
    status: 413,
    title: 'The image is too large',
    help: 'An avatar may have 10 MB, and nothing of this file was kept. Send a smaller one.',
  },
  not_an_image: {
    status: 422,
    title: 'The file is no image',
    help: 'The bytes of the file are no JPEG, PNG, WebP, GIF or AVIF image, whatever its name says. Send an image of one of these types.',
  },
})
