import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { everyone, platform } from '../../../lib/access.ts'
import { problems } from '../../../lib/errors.ts'
import { IdParams } from '../../../lib/schema.ts'
import { User } from '../../users/schemas.ts'
import { CreateFirstAdmin, UpdateAccount } from '../schemas/accounts.ts'
import { Registered } from '../schemas/registration.ts'
import { activateUser, deactivateUser, updateUser } from '../service/accounts.ts'
import { createFirstAdmin } from '../service/first-admin.ts'

const tags = ['users']
const access = platform('admin')

export const accountRoutes: FastifyPluginAsyncTypebox = async app => {
  app.route({
    method: 'PATCH',
    url: '/users/:id',
    config: { access, affects: ['sessions'] },
    schema: {
      operationId: 'updateUser',
      summary: 'Change the name or the role of a user; a new role signs them out',
      tags,
      params: IdParams,
      body: UpdateAccount,
      response: { 200: User, ...problems(404, 409, 412, 422) },
    },
    handler: ({ caller, params, body, ifMatch }) => updateUser(caller, params.id, body, ifMatch),
  })

  app.route({
    method: 'POST',
    url: '/users/:id/deactivate',
    config: { access, affects: ['sessions'] },
    schema: {
      operationId: 'deactivateUser',
      summary: 'Sign a user out everywhere and let nobody in',
      tags,
      params: IdParams,
      response: { 200: User, ...problems(404, 409, 412) },
    },
    handler: ({ caller, params, ifMatch }) => deactivateUser(caller, params.id, ifMatch),
  })

  app.route({
    method: 'POST',
    url: '/users/:id/activate',
    config: { access },
    schema: {
      operationId: 'activateUser',
      summary: 'Let a deactivated user in again',
      tags,
      params: IdParams,
      response: { 200: User, ...problems(404, 412) },
    },
    handler: ({ caller, params, ifMatch }) => activateUser(caller, params.id, ifMatch),
  })

  app.route({
    method: 'POST',
    url: '/auth/first-admin',
    config: {
      access: everyone,
      sensitive: true,
      cache: 'no-store',
      affects: ['users', 'profiles', 'settings', 'tokens'],
      records: ['user.registered', 'user.role_changed'],
    },
    schema: {
      operationId: 'createFirstAdmin',
      summary: 'Create an admin with the link that the first start, or npm run admin, has printed',
      tags: ['auth'],
      body: CreateFirstAdmin,
      response: { 201: Registered, ...problems(400, 409, 422, 429) },
    },
    async handler({ caller, body }, reply) {
      reply.code(201)
      return { user: await createFirstAdmin(caller, body) }
    },
  })
}
