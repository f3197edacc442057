import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { asUser, platform, signedIn } from '../../lib/access.ts'
import { orNotFound, problems } from '../../lib/errors.ts'
import { route } from '../../plugins/routes.ts'
import { findMe, findUser, listUsers } from './queries/users.ts'
import { Me, UpdateMe, User, UserList, UsersQuery } from './schemas.ts'
import { updateMe } from './service.ts'

export const userRoutes: FastifyPluginAsyncTypebox = async app => {
  route(app, {
    method: 'GET',
    url: '/users/me',
    config: { access: signedIn },
    schema: { operationId: 'getMe', summary: 'The signed-in user', response: { 200: Me, ...problems(404) } },
    handler: async ({ actor }) => orNotFound(await findMe(app.database, { id: asUser(actor).id })),
  })

  route(app, {
    method: 'PATCH',
    url: '/users/me',
    config: { access: signedIn, affects: ['profiles', 'settings'] },
    schema: {
      operationId: 'updateMe',
      summary: 'Change name, profile and settings of the signed-in user',
      body: UpdateMe,
      response: { 200: Me, ...problems(404) },
    },
    handler: async ({ actor, caller, body, ifMatch }) =>
      orNotFound(await updateMe(caller, asUser(actor).id, body, ifMatch)),
  })

  route(app, {
    method: 'GET',
    url: '/users',
    config: { access: platform('admin') },
    schema: {
      operationId: 'listUsers',
      summary: 'All users',
      querystring: UsersQuery,
      response: { 200: UserList },
    },
    handler: async ({ query }) => orNotFound(await listUsers(app.database, {}, {}, query)),
  })

  route(app, {
    method: 'GET',
    url: '/users/:id',
    config: { access: platform('admin') },
    schema: {
      operationId: 'getUser',
      summary: 'A user',
      response: { 200: User },
    },
    handler: async ({ params }) => orNotFound(await findUser(app.database, { id: params.id })),
  })
}
