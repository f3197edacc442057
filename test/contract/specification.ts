import type { FastifyInstance } from 'fastify'
import type { Test } from 'tap'
import type { Access } from '../../src/lib/access.ts'

/** A JSON schema, or any other piece of the document: `any`, because the document is what is under test. */
export type Json = ReturnType<typeof JSON.parse>

export interface Operation {
  id: string
  method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  /** Without the prefix of the API: `/tasks/{id}`. */
  path: string
  /** The tag of its domain. */
  tag: string
  access: Access
  parameters: { name: string; in: 'path' | 'query' | 'header'; schema: Json }[]
  /** The schema of a JSON body, resolved one level. */
  body: Json | undefined
  example: Json | undefined
  /** Whether the document requires the body. */
  requiresBody: boolean
  /** Whether the body is a file. */
  uploads: boolean
  responses: Record<string, { headers?: Json; content?: Record<string, { schema: Json }> }>
  keyRequired: boolean
  /** Whether it has the small limits by account. */
  isSensitive: boolean
}

const PREFIX = '/api/v1'

/** The OpenAPI document as clients get it, and what tests derive from it. */
export class Specification {
  readonly document: Json
  readonly all: Operation[]
  /** Whether `TEST_OPERATIONS` names words, so that a file may be left without operations. */
  readonly isLimited: boolean
  readonly #limited: Operation[]

  constructor(app: FastifyInstance) {
    this.document = JSON.parse(JSON.stringify(app.openapi()))
    this.all = Object.entries<Json>(this.document.paths)
      .filter(([path]) => path.startsWith(PREFIX))
      .flatMap(([path, methods]) => Object.entries<Json>(methods).map(([method, o]) => this.#read(path, method, o)))
      // A socket has no answer to hold against a schema; its messages have tests of their own.
      .filter(({ responses }) => !responses['101'])
    const words = process.env.TEST_OPERATIONS?.split(',')
    this.isLimited = words !== undefined
    this.#limited = words
      ? this.all.filter(({ id, tag, path }) => [id, tag, lastWordOf(path)].some(name => words.includes(name)))
      : this.all
  }

  /**
   * Returns the operations that a file tests: those that are `suited`, with `TEST_OPERATIONS` only those whose path ends
   * with one of these words, or that have its tag or id. A test of its own says how many, because a file without any
   * test never ends; so no top-level `await` may follow.
   */
  chosen(t: Pick<Test, 'test'>, suited: (operation: Operation) => unknown = () => true): Operation[] {
    const found = this.#limited.filter(suited)
    t.test(`${found.length} of ${this.all.length} operations are chosen`, async t =>
      t.ok(found.length > 0 || this.isLimited, 'without TEST_OPERATIONS there are some'),
    )
    return found
  }

  #read(path: string, method: string, operation: Json): Operation {
    const json = operation.requestBody?.content?.['application/json']
    return {
      id: operation.operationId,
      method: method.toUpperCase() as Operation['method'],
      path: path.slice(PREFIX.length),
      tag: operation.tags[0],
      access: operation['x-access'],
      parameters: operation.parameters ?? [],
      body: this.resolve(json?.schema),
      example: json?.example,
      requiresBody: operation.requestBody?.required === true,
      uploads: operation.requestBody?.content?.['multipart/form-data'] !== undefined,
      responses: operation.responses,
      keyRequired: operation['x-idempotency'] === 'required',
      isSensitive: operation['x-sensitive'] === true,
    }
  }

  /** Returns the target of a reference; any other schema unchanged. */
  resolve(schema: Json): Json {
    if (!schema?.$ref) return schema
    const name = schema.$ref.split('/').at(-1)
    return { ...this.document.components.schemas[name], ...schema, $ref: undefined }
  }

  find(method: string, path: string): Operation | undefined {
    return this.all.find(operation => operation.method === method && operation.path === path)
  }

  /** Finds the operation that creates the items of `collection`. */
  creatorOf(collection: string): Operation | undefined {
    const creators = this.all.filter(({ method, responses }) => method === 'POST' && responses['201'])
    const answers = ({ responses }: Operation) => isOne(responses['201'], collection)
    return creators.find(({ path }) => path.endsWith(`/${collection}`)) ?? creators.find(answers)
  }

  /** Finds the operation that starts background work whose progress is in `collection`. */
  starterOf(collection: string): Operation | undefined {
    return this.all.find(({ responses }) => isOne(responses['202'], collection))
  }
}

/** Whether the answer is one row of the collection, by the name of its schema. */
const isOne = (answer: Operation['responses'][string] | undefined, collection: string): boolean =>
  answer?.content?.['application/json']?.schema.$ref?.split('/').at(-1).toLowerCase() ===
  collection.replace(/ies$/, 'y').replace(/s$/, '')

const lastWordOf = (path: string): string => path.split('/').findLast(segment => /^[a-z]/.test(segment)) ?? ''

export const successOf = ({ responses }: Operation): string =>
  Object.keys(responses).find(status => /^[23]/.test(status) && status !== '304') as string

/** A stream does not end by itself. */
export const streams = (operation: Operation): boolean =>
  operation.responses[successOf(operation)]?.content?.['text/event-stream'] !== undefined
