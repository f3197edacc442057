import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { everyone, platform } from '../../../lib/access.ts'
import { problems } from '../../../lib/errors.ts'
import { route } from '../../../plugins/routes.ts'
import { User } from '../../users/schemas.ts'
import { authErrors } from '../errors.ts'
import { CreateFirstAdmin, CreateUser, ReplaceAccount, UpdateAccount } from '../schemas/accounts.ts'
import { Registered } from '../schemas/registration.ts'
import { createUser } from '../service/account-invitations.ts'
import { activateUser, deactivateUser, updateUser } from '../service/accounts.ts'
import { createFirstAdmin } from '../service/first-admin.ts'

const tags = ['users']
const access = platform('admin')

export const accountRoutes: FastifyPluginAsyncTypebox = async app => {
  route(app, {
    method: 'POST',
    url: '/users',
    config: { access, affects: ['profiles', 'settings', 'jobs.job'] },
    schema: {
      operationId: 'createUser',
      summary: 'Make an account for somebody, who gets a mail to choose a password',
      tags,
      body: CreateUser,
      response: { 201: User, ...problems(authErrors.email_taken) },
    },
    handler: ({ caller, body }) => createUser(app, caller, body),
  })

  route(app, {
    method: 'PUT',
    url: '/users/:id',
    config: { access, affects: ['sessions'] },
    schema: {
      operationId: 'replaceUser',
      summary: 'Set all that an admin decides about a user; a new role signs them out',
      tags,
      body: ReplaceAccount,
      response: { 200: User, ...problems(authErrors.last_admin) },
    },
    handler: ({ caller, params, body, ifMatch }) => updateUser(caller, params.id, body, ifMatch),
  })

  route(app, {
    method: 'PATCH',
    url: '/users/:id',
    config: { access, affects: ['sessions'] },
    schema: {
      operationId: 'updateUser',
      summary: 'Change the name or the role of a user; a new role signs them out',
      tags,
      body: UpdateAccount,
      response: { 200: User, ...problems(authErrors.last_admin) },
    },
    handler: ({ caller, params, body, ifMatch }) => updateUser(caller, params.id, body, ifMatch),
  })

  route(app, {
    method: 'POST',
    url: '/users/:id/deactivate',
    config: { access, affects: ['sessions'] },
    schema: {
      operationId: 'deactivateUser',
      summary: 'Sign a user out everywhere and let nobody in',
      tags,
      response: { 200: User, ...problems(authErrors.last_admin) },
    },
    handler: ({ caller, params, ifMatch }) => deactivateUser(caller, params.id, ifMatch),
  })

  route(app, {
    method: 'POST',
    url: '/users/:id/activate',
    config: { access },
    schema: {
      operationId: 'activateUser',
      summary: 'Let a deactivated user in again',
      tags,
      response: { 200: User },
    },
    handler: ({ caller, params, ifMatch }) => activateUser(caller, params.id, ifMatch),
  })

  route(app, {
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
      response: { 201: Registered, ...problems(authErrors.token_invalid, authErrors.email_taken) },
    },
    handler: async ({ caller, body }) => ({ user: await createFirstAdmin(caller, body) }),
  })
}
