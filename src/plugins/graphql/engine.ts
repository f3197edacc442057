import Fastify, { type FastifyInstance, type FastifyRequest } from 'fastify'
import {
  type DocumentNode,
  type GraphQLError,
  type GraphQLSchema,
  Location,
  NoSchemaIntrospectionCustomRule,
} from 'graphql'
import mercurius from 'mercurius'
import { refusalOf, toGraphError } from './answers.ts'
import { GraphContext } from './context.ts'
import { PersistedDocuments } from './documents.ts'
import { graphqlErrors } from './errors.ts'
import { checkCost, checkExtent, MAX_TOKENS } from './limits.ts'
import type { GraphAnswer, GraphRequest } from './request.ts'
import { schemaOf } from './schema.ts'

/** Parsed and valid documents that are kept; a large one takes 300 KB, and the cache holds up to twice as many. */
const DOCUMENTS = 100
/** Executions of a document before it is compiled, which costs some milliseconds and halves the rest. */
const COMPILED_AFTER = 2
/** More faults of one document help nobody. */
const MAX_ERRORS = 10

export interface Engine {
  readonly schema: GraphQLSchema
  /** Executes the document of a request. An answer without `data` was not executed. */
  execute(request: FastifyRequest<{ Body: GraphRequest }>): Promise<GraphAnswer>
}

/** Starts the library in an instance of its own, without routes: requests come by the route of the application. */
export async function startEngine(app: FastifyInstance, { production }: { production: boolean }): Promise<Engine> {
  const engine = Fastify()
  const schema = schemaOf(app)
  await engine.register(mercurius, {
    schema,
    routes: false,
    cache: DOCUMENTS,
    jit: COMPILED_AFTER,
    validationRules: production ? [NoSchemaIntrospectionCustomRule] : [],
    graphql: {
      parseOptions: { maxTokens: MAX_TOKENS },
      // The published type of the library does not know the second option yet.
      validateOptions: { maxErrors: MAX_ERRORS, hideSuggestions: production } as object,
    },
    errorFormatter: ({ data, errors = [] }, context) => {
      const { request } = context as unknown as GraphContext
      const shown = errors.map(error => toGraphError(error as GraphQLError, request))
      return { statusCode: 200, response: { data: data ?? null, errors: shown as never } }
    },
  })
  engine.graphql.addHook('preValidation', (_schema, document) => {
    requireText(document)
    checkExtent(document)
  })
  engine.graphql.addHook('preExecution', (schema, document, context, variables) =>
    checkCost(schema, document, (context as unknown as GraphContext).operationName, variables ?? {}),
  )
  await engine.ready()
  const documents = new PersistedDocuments()
  return {
    schema,
    async execute(request) {
      const { variables, operationName } = request.body
      const name = operationName ?? undefined
      try {
        const document = named(documents.documentOf(request.body), name)
        const context = new GraphContext(app, request, name)
        return await engine.graphql(document, context as never, { ...variables }, name as string)
      } catch (error) {
        return { errors: refusalOf(error, request) }
      }
    },
  }
}

/**
 * The library keeps one compiled operation for each text, whichever operation of it was asked for, so the name becomes
 * part of the text, as a comment.
 */
const named = (document: string, name: string | undefined): string =>
  name === undefined ? document : `${document}\n# ${JSON.stringify(name)}`

/** The library also takes a document that is already parsed, as JSON, which is bound by no limit of the parser. */
function requireText(document: DocumentNode | null): void {
  if (!(document?.loc instanceof Location))
    throw graphqlErrors.graphql_invalid({ detail: 'The document is not GraphQL.' })
}
