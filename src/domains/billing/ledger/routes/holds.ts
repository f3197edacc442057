import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { Actor } from '../../../../lib/access.ts'
import { orNotFound, problems } from '../../../../lib/errors.ts'
import { route } from '../../../../plugins/routes.ts'
import { ledgerErrors } from '../errors.ts'
import { findHold, listHolds } from '../queries/holds.ts'
import { CaptureHold, CreateHold, Hold, HoldList, HoldsQuery, Transfer } from '../schemas.ts'
import { captureHold, createHold, releaseHold } from '../service/holds.ts'
import { moveProblems, moves, read, write } from './access.ts'

export const holdRoutes: FastifyPluginAsyncTypebox = async app => {
  route(app, {
    method: 'POST',
    url: '/accounts/:id/holds',
    config: { ...write('account'), idempotency: 'required', affects: ['accounts'], records: ['hold.created'] },
    schema: {
      operationId: 'createHold',
      summary: 'Reserve an amount of an account for a transfer later',
      description: 'The balance stays, but what is held moves only by capturing the hold.',
      body: CreateHold,
      response: { 201: Hold, ...problems(ledgerErrors.insufficient_funds, ledgerErrors.account_not_holdable) },
    },
    handler: ({ caller, params, body }) => createHold(caller, params.id, body),
  })

  route(app, {
    method: 'GET',
    url: '/accounts/:id/holds',
    config: read('account'),
    schema: {
      operationId: 'listHolds',
      summary: 'The holds of an account',
      querystring: HoldsQuery,
      response: { 200: HoldList },
    },
    handler: async ({ params, query }) =>
      orNotFound(await listHolds(app.database, { accountId: params.id }, {}, query)),
  })

  route(app, {
    method: 'GET',
    url: '/holds/:id',
    config: read('hold'),
    schema: { operationId: 'getHold', summary: 'A hold', response: { 200: Hold } },
    handler: async ({ params }) => orNotFound(await findHold(app.database, { id: params.id })),
  })

  route(app, {
    method: 'POST',
    url: '/holds/:id/capture',
    config: { ...write('hold'), ...moves, records: ['hold.captured', 'transfer.created'] },
    schema: {
      operationId: 'captureHold',
      summary: 'Move what is held, or a part of it, to another account',
      description: 'Ends the hold: what is not captured is free again.',
      body: CaptureHold,
      response: {
        201: Transfer,
        ...problems(ledgerErrors.hold_ended, ledgerErrors.capture_too_large, ...moveProblems),
      },
    },
    async handler({ caller, actor, params, body }, reply) {
      const transfer = await captureHold(app, caller, actor as Actor, params.id, body)
      reply.header('location', `${app.prefix}/transfers/${transfer.id}`)
      return transfer
    },
  })

  route(app, {
    method: 'POST',
    url: '/holds/:id/release',
    config: { ...write('hold'), affects: ['accounts'], records: ['hold.released'] },
    schema: {
      operationId: 'releaseHold',
      summary: 'Free what is held',
      response: { 200: Hold, ...problems(ledgerErrors.hold_ended) },
    },
    handler: ({ caller, params, ifMatch }) => releaseHold(caller, params.id, ifMatch),
  })
}
