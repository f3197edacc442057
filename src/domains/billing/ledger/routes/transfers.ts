import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { type Actor, anyCaller } from '../../../../lib/access.ts'
import { orNotFound, problems } from '../../../../lib/errors.ts'
import { route } from '../../../../plugins/routes.ts'
import { ledgerErrors } from '../errors.ts'
import { findTransfer } from '../queries/transfers.ts'
import { CreateTransfer, Transfer } from '../schemas.ts'
import { transferPoster } from '../service/poster.ts'
import { reverseTransfer } from '../service/transfers.ts'
import { moveProblems, moves, read, write } from './access.ts'

export const transferRoutes: FastifyPluginAsyncTypebox = async app => {
  const postTransfer = transferPoster(app)

  route(app, {
    method: 'POST',
    url: '/transfers',
    config: { ...moves, gathers: true, access: anyCaller('ledger:write') },
    schema: {
      operationId: 'createTransfer',
      summary: 'Move an amount between two accounts of an organization',
      description: 'Needs the role admin in the organization; for a system account, the role admin of the platform.',
      body: CreateTransfer,
      response: { 201: Transfer, ...problems(403, 404, ...moveProblems) },
    },
    handler: ({ caller, actor, body }) => postTransfer(caller, actor as Actor, body),
  })

  route(app, {
    method: 'GET',
    url: '/transfers/:id',
    config: read('transfer'),
    schema: { operationId: 'getTransfer', summary: 'A transfer', response: { 200: Transfer } },
    handler: async ({ params }) => orNotFound(await findTransfer(app.database, { id: params.id })),
  })

  route(app, {
    method: 'POST',
    url: '/transfers/:id/reverse',
    config: { ...write('transfer'), ...moves },
    schema: {
      operationId: 'reverseTransfer',
      summary: 'Move the amount of a transfer back, once',
      response: { 201: Transfer, ...problems(ledgerErrors.transfer_reversed, ...moveProblems) },
    },
    async handler({ caller, actor, params }, reply) {
      const reversal = await reverseTransfer(caller, actor as Actor, params.id)
      reply.header('location', `${app.prefix}/transfers/${reversal.id}`)
      return reversal
    },
  })
}
