import multipart from '@fastify/multipart'
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { asUser, reachesPlatformRole, signedIn } from '../../lib/access.ts'
import { orNotFound, problems } from '../../lib/errors.ts'
import { bytes, MULTIPART, Nothing } from '../../lib/schema.ts'
import { route } from '../../plugins/routes.ts'
import { avatarErrors } from './errors.ts'
import { findAvatar, findImage } from './queries.ts'
import { Avatar, AvatarQuery, UploadAvatar } from './schemas.ts'
import { changeAvatar, removeAvatar } from './service/avatars.ts'

const MAX_BYTES = 10_000_000

export const avatarRoutes: FastifyPluginAsyncTypebox = async app => {
  await app.register(multipart, { throwFileSizeLimit: false })

  route(app, {
    method: 'PUT',
    url: '/users/me/avatar',
    config: { access: signedIn, affects: ['avatars', 'jobs.job'], records: ['avatar.changed'] },
    schema: {
      operationId: 'changeAvatar',
      summary: 'Upload a picture of oneself',
      description:
        'It is cut to a square, turned upright and stored without metadata, in three sizes, some seconds later.',
      consumes: [MULTIPART],
      body: UploadAvatar,
      response: { 200: Avatar, ...problems(413, avatarErrors.avatar_too_large, avatarErrors.not_an_image) },
    },
    ...app.uploadHooks(MAX_BYTES, avatarErrors.avatar_too_large),
    handler: ({ caller, actor, upload, ifMatch }) => changeAvatar(app, caller, asUser(actor).id, upload, ifMatch),
  })

  route(app, {
    method: 'GET',
    url: '/users/me/avatar',
    config: { access: signedIn },
    schema: {
      operationId: 'getMyAvatar',
      summary: 'Whether the pictures of oneself are made',
      response: { 200: Avatar, ...problems(404) },
    },
    handler: async ({ actor }) => orNotFound(await findAvatar(app.database, { userId: asUser(actor).id })),
  })

  route(app, {
    method: 'DELETE',
    url: '/users/me/avatar',
    config: { access: signedIn, affects: ['avatars', 'avatar_images'], records: ['avatar.removed'] },
    schema: {
      operationId: 'removeAvatar',
      summary: 'Remove the picture of oneself',
      response: { 204: Nothing, ...problems(404) },
    },
    handler: async ({ caller, actor, ifMatch }) => void (await removeAvatar(caller, asUser(actor).id, ifMatch)),
  })

  route(app, {
    method: 'GET',
    url: '/users/:id/avatar',
    config: { access: signedIn },
    schema: {
      operationId: 'getAvatar',
      summary: 'The picture of a user with whom the caller shares an organization, as WebP',
      querystring: AvatarQuery,
      response: { ...bytes('The bytes.'), ...problems(...app.downloads.problems) },
    },
    async handler(request, reply) {
      const { id: callerId, role } = asUser(request.actor)
      const { size = 'medium' } = request.query
      const asked = { userId: request.params.id, size, callerId, seesAll: reachesPlatformRole(role, 'moderator') }
      const { key, sizeBytes, sha256 } = orNotFound(await findImage(app.database, asked))
      const image = { key, name: `avatar-${size}.webp`, type: 'image/webp', sizeBytes, sha256 }
      return app.downloads.send(request, reply, image)
    },
  })
}
