import type { FastifyRequest } from 'fastify'
import { GraphQLError } from 'graphql'
import { AppError, requestErrors } from '../../lib/errors.ts'
import { logFault, toAppError } from '../errors.ts'
import { graphqlErrors } from './errors.ts'

/** An error in the body of an answer; `extensions.code` is the same code as in problem details. */
export interface GraphError {
  message: string
  path?: readonly (string | number)[]
  locations?: readonly { line: number; column: number }[]
  extensions: object
}

/** Returns what the client sees of an error of a field, which is logged if it is a fault of ours. */
export function toGraphError(error: GraphQLError, request: FastifyRequest): GraphError {
  const { originalError, path, locations } = error
  const known = toAppError((originalError ?? error) as never)
  logFault(known, request)
  return { ...shown(known, request), ...(path && { path }), ...(locations && { locations }) }
}

const shown = ({ code, status, title, detail, errors }: AppError, { id }: FastifyRequest): GraphError => ({
  message: detail ?? title,
  extensions: { code, status, requestId: id, ...(errors && { errors }) },
})

interface Invalid {
  errors?: readonly (GraphQLError | Error)[]
}

/** Returns the errors of a request that was not executed. Throws what any route would answer with a problem. */
export function refusalOf(thrown: unknown, request: FastifyRequest): GraphError[] {
  if (thrown instanceof AppError) {
    if (!(thrown.code in graphqlErrors)) throw thrown
    return [shown(thrown, request)]
  }
  const faults = (thrown as Invalid).errors?.filter(error => error instanceof GraphQLError) ?? []
  if (faults.length === 0) throw requestErrors.internal_error({ cause: thrown })
  return faults.map(({ message, locations }) => ({
    ...shown(graphqlErrors.graphql_invalid({ detail: message }), request),
    ...(locations && { locations }),
  }))
}
