import type { TSchema } from '@sinclair/typebox'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { GraphQLID, GraphQLInt, GraphQLNonNull, type GraphQLObjectType } from 'graphql'
import type { Membership } from '../../lib/access.ts'
import { isCreation } from '../events.ts'
import type { CheckedOperation } from '../operations.ts'
import type { GraphField } from './connections.ts'
import type { GraphContext } from './context.ts'
import { adds } from './limits.ts'
import type { Shapes } from './shapes.ts'

interface Given {
  input?: object
  ifVersion?: number | null
  [id: string]: unknown
}

/** A handler that is not called by its route sets no status and no header. */
const reply = { code: () => reply, header: () => reply } as unknown as FastifyReply

/** The mutation of an operation: the same rule, the same checks, the same handler. */
export function mutationField(
  operation: CheckedOperation,
  types: ReadonlyMap<string, GraphQLObjectType>,
  shapes: Shapes,
): GraphField<unknown> {
  const { schema } = operation.declared
  const success = Object.entries(schema.response).find(([status]) => status.startsWith('2'))?.[1] as TSchema
  const type = types.get(String(success.title))
  const id = idOf(operation, type)
  return {
    type: type ?? GraphQLID,
    description: type ? `${schema.summary}.` : `${schema.summary}. Returns its id.`,
    args: {
      [id]: { type: new GraphQLNonNull(GraphQLID) },
      ...(schema.body && { input: { type: new GraphQLNonNull(shapes.input(schema.body)) } }),
      ...(id === 'id' && { ifVersion: { type: GraphQLInt, description: IF_VERSION } }),
    },
    ...adds('one', schema.operationId),
    async resolve(_root, given: Given, context) {
      const row = await context.mutate(() => run(operation, { ...given, id: given[id] }, context))
      return type ? row : given[id]
    },
  }
}

const IF_VERSION = 'The `version` that was read: if the resource has another by now, it is left alone.'

/** Rows that are created are given the id of their parent: `projectId` of a new task. */
const idOf = ({ of, declared }: CheckedOperation, type: GraphQLObjectType | undefined): string => {
  const isOwn = declared.method !== 'POST' || type?.name.toLowerCase() === of?.toLowerCase()
  return isOwn ? 'id' : `${of}Id`
}

async function run(
  operation: CheckedOperation,
  { id, input, ifVersion }: Given,
  context: GraphContext,
): Promise<unknown> {
  operation.authorize(context)
  const params = operation.checked('params', { id: id as string })
  const body = input === undefined ? undefined : operation.checked('body', { ...input })
  const membership = await operation.belongs(context, params.id)
  const ifMatch = ifVersion == null ? null : [ifVersion]
  const changedId = isCreation(operation.declared.schema.response) ? null : params.id
  return operation.declared.handler(derived(context.request, { params, body, membership, ifMatch, changedId }), reply)
}

interface Parts {
  params: object
  body: object | undefined
  membership: Membership | null
  ifMatch: number[] | null
  changedId: string | null
}

/** Returns the request that the route would have had: the same caller and transaction, other parts. */
const derived = (request: FastifyRequest, parts: Parts): FastifyRequest =>
  Object.create(
    request,
    Object.fromEntries(Object.entries(parts).map(([name, value]) => [name, { value, enumerable: true }])),
  )
