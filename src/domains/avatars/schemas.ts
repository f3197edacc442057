import { type Static, Type } from '@sinclair/typebox'
import { Closed, Id, StringEnum, Timestamp } from '../../lib/schema.ts'

export const Avatar = Type.Object(
  {
    userId: Id,
    status: StringEnum(['processing', 'ready', 'failed'], {
      description: '`processing` until the images are made; `failed` when the file is no image that can be read.',
    }),
    createdAt: Timestamp,
    updatedAt: Timestamp,
  },
  { title: 'Avatar', description: 'The picture of a user.' },
)
export type Avatar = Static<typeof Avatar>

export const UploadAvatar = Type.Object(
  {
    file: Type.String({
      contentMediaType: 'application/octet-stream',
      description: 'A JPEG, PNG, WebP, GIF or AVIF image.',
    }),
  },
  { title: 'UploadAvatar', examples: [{ file: 'an image' }] },
)

export const AvatarQuery = Closed({
  size: Type.Optional(
    StringEnum(['small', 'medium', 'large'], { description: '64, 128 or 512 pixels a side; `medium` if left out.' }),
  ),
})
export type AvatarSize = NonNullable<Static<typeof AvatarQuery>['size']>
