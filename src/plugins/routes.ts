import type { IncomingMessage } from 'node:http'
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import type { Static, TSchema } from '@sinclair/typebox'
import type {
  FastifyContextConfig,
  FastifyInstance,
  FastifyReply,
  FastifyRequest,
  RawServerDefault,
  RouteOptions,
} from 'fastify'
import fp from 'fastify-plugin'
import { Closed, Id } from '../lib/schema.ts'

declare module 'fastify' {
  interface FastifyInstance {
    /** Every path that has a route, with `:` in place of each parameter. */
    readonly paths: ReadonlySet<string>
    /** The declared operations, by `operationId`. */
    readonly operations: ReadonlyMap<string, DeclaredOperation>
  }
}

/** An operation as it was declared, for those who do the same in another way than by its route. */
export interface DeclaredOperation {
  url: string
  method: string
  config: FastifyContextConfig
  schema: OperationSchema
  handler(request: FastifyRequest, reply: FastifyReply): unknown
}

/** The parameter names in a path: `'id' | 'keyId'` of `/organizations/:id/api-keys/:keyId`. */
type ParameterOf<Url extends string> = Url extends `${string}/:${infer Name}/${infer Rest}`
  ? Name | ParameterOf<`/${Rest}`>
  : Url extends `${string}/:${infer Name}`
    ? Name
    : never

interface OperationSchema {
  operationId: string
  summary: string
  description?: string
  /** Those of its domain when left out. */
  tags?: string[]
  /** The media types of the body, unless it is JSON. */
  consumes?: readonly string[]
  body?: TSchema
  querystring?: TSchema
  headers?: TSchema
  /** Of the path, where a parameter is no id. */
  params?: TSchema
  /**
   * The success, and by `problems(…)` those problems that do not follow from the access rule, the method and the
   * schemas.
   */
  response: object
}

/** The type that a handler returns: the success, or undefined when there is no body. */
type AnswerOf<Response> = Response extends { 200: infer T extends TSchema } | { 201: infer T extends TSchema }
  ? Static<T>
  : Response extends { 202: infer T extends TSchema }
    ? Static<T> extends null
      ? undefined
      : Static<T>
    : Response extends { 204: TSchema }
      ? undefined
      : unknown

type RequestOf<Url extends string, S extends OperationSchema> = FastifyRequest<
  { Params: { [Name in ParameterOf<Url>]: string } },
  RawServerDefault,
  IncomingMessage,
  S,
  TypeBoxTypeProvider
>

interface Operation<Url extends string, S extends OperationSchema>
  extends Omit<RouteOptions, 'url' | 'schema' | 'config' | 'handler'> {
  url: Url
  config: FastifyContextConfig
  schema: S
  handler(request: RequestOf<Url, S>, reply: FastifyReply): AnswerOf<S['response']> | Promise<AnswerOf<S['response']>>
}

/**
 * Declares a Fastify route and adds what is the same everywhere: path parameters are ids unless it says otherwise, a success other than 200 sets
 * its status, 201 sets the `Location` of the created row, and 204 and an empty 202 have no body.
 */
export function route<const Url extends string, const S extends OperationSchema>(
  app: FastifyInstance,
  { url, schema, handler, ...options }: Operation<Url, S>,
): void {
  const params = schema.params ?? paramsOf(url)
  const whole = { ...schema, ...(params ? { params } : {}) }
  const { method, config } = options
  const declared = { url, method: String(method), config, schema: whole, handler: handler as Handler }
  ;(app.operations as Map<string, DeclaredOperation>).set(schema.operationId, declared)
  app.route({
    ...options,
    url,
    schema: whole,
    handler: answering(app, url, schema.response, handler as Handler) as never,
  })
}

function paramsOf(url: string): TSchema | undefined {
  const names = Array.from(url.matchAll(/\/:(\w+)/g), ([, name]) => name as string)
  return names.length > 0 ? Closed(Object.fromEntries(names.map(name => [name, Id]))) : undefined
}

type Handler = (request: FastifyRequest, reply: FastifyReply) => Promise<unknown>

const CREATED = 201
const EMPTY = [202, 204]

function answering(app: FastifyInstance, url: string, response: object, handler: Handler): Handler {
  const status = Number(Object.keys(response).find(code => code.startsWith('2')))
  if (status === CREATED) {
    const locate = locator(app, `${app.prefix}${url}`)
    return async (request, reply) => {
      const created = await handler(request, reply)
      reply.code(status)
      const location = locate(request.params as Params, created)
      if (location !== undefined) reply.header('location', location)
      return created
    }
  }
  if (!EMPTY.includes(status)) return handler
  return async (request, reply) => {
    const answer = await handler(request, reply)
    reply.code(status)
    return answer ?? null
  }
}

type Params = Record<string, string>

const pattern = (url: string): string => url.replace(/:\w+/g, ':')

/**
 * Returns a function from a created row to its URL: below the collection's own path, or below the path of the request.
 */
function locator(app: FastifyInstance, url: string): (params: Params, row: unknown) => string | undefined {
  const flat = `${app.prefix}/${url.slice(url.lastIndexOf('/') + 1)}`
  return (params, row) => {
    const { id } = row as { id?: string }
    if (id === undefined) return undefined
    if (app.paths.has(`${flat}/:`)) return `${flat}/${id}`
    return app.paths.has(`${pattern(url)}/:`) ? `${filled(url, params)}/${id}` : undefined
  }
}

/** Built from the validated parameters: in the requested URL an id may be in another case. */
const filled = (url: string, params: Params): string =>
  url.replace(/:(\w+)/g, (_, name: string) => encodeURIComponent(params[name] as string))

async function routes(app: FastifyInstance) {
  const paths = new Set<string>()
  app.decorate('paths', paths)
  app.decorate('operations', new Map())
  app.addHook('onRoute', ({ url }) => void paths.add(pattern(url)))
}

export const routesPlugin = fp(routes, { name: 'routes' })
