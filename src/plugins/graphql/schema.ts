import type { FastifyInstance } from 'fastify'
import {
  type GraphQLFieldConfigMap,
  GraphQLID,
  GraphQLInt,
  GraphQLNonNull,
  GraphQLObjectType,
  GraphQLSchema,
} from 'graphql'
import { orNotFound } from '../../lib/errors.ts'
import { CheckedOperation } from '../operations.ts'
import { connectionField, connectionOf, type GraphField } from './connections.ts'
import type { GraphContext } from './context.ts'
import type { Field, Graph, NodeType, Reference } from './graph.ts'
import { adds } from './limits.ts'
import { mutationField } from './mutations.ts'
import { Shapes } from './shapes.ts'

// biome-ignore lint/suspicious/noExplicitAny: the library's type of a parent that only its resolver knows.
type Fields = GraphQLFieldConfigMap<any, GraphContext>

/** Builds the schema of the graphs of all domains. */
export function schemaOf(app: FastifyInstance): GraphQLSchema {
  return new SchemaBuilder(
    app,
    app.domains.flatMap(({ graph }) => graph ?? []),
  ).schema
}

class SchemaBuilder {
  readonly schema: GraphQLSchema
  readonly #app: FastifyInstance
  readonly #graphs: readonly Graph[]
  readonly #shapes = new Shapes()
  readonly #nodes: ReadonlyMap<string, Partial<NodeType> & Pick<NodeType, 'item'>>
  readonly #types = new Map<string, GraphQLObjectType>()
  readonly #connections = new Map<string, GraphQLObjectType>()

  constructor(app: FastifyInstance, graphs: readonly Graph[]) {
    this.#app = app
    this.#graphs = graphs
    this.#nodes = new Map(graphs.flatMap(({ types = {} }) => Object.entries(types)))
    for (const [name, node] of this.#nodes) this.#types.set(name, this.#object(name, node))
    const query = new GraphQLObjectType({ name: 'Query', fields: this.#declared('Query') })
    const mutation = new GraphQLObjectType({ name: 'Mutation', fields: this.#mutations() })
    this.schema = new GraphQLSchema({ query, mutation, types: [...this.#types.values()] })
  }

  /** The fields are made when all types are there, because types refer to each other. */
  #object(name: string, { item }: Pick<NodeType, 'item'>): GraphQLObjectType {
    const own = this.#shapes.fields(item)
    const version = 'updatedAt' in own ? { version: VERSION } : {}
    const { description } = item
    return new GraphQLObjectType({
      name,
      ...(description && { description }),
      fields: () => ({ ...own, ...version, ...this.#declared(name) }),
    })
  }

  /** Returns the fields that domains add to the type. */
  #declared(type: string): Fields {
    const fields = this.#graphs.flatMap(({ fields = {} }) => Object.entries(fields[type] ?? {}))
    return Object.fromEntries(fields.map(([name, field]) => [name, this.#field(field)])) as Fields
  }

  #field(field: Field): GraphField {
    if (field.kind === 'reference') return this.#reference(field)
    const operation = new CheckedOperation(this.#app, field.operation)
    if (field.kind === 'connection')
      return connectionField(operation, field, this.#connection(field.type), this.#shapes)
    return this.#answer(operation)
  }

  #reference({ type, idOf }: Reference): GraphField {
    const node = this.#nodes.get(type) as NodeType
    const operation = new CheckedOperation(this.#app, node.operation)
    const find = finder(type, node)
    return {
      type: this.#type(type),
      ...(idOf ? {} : { description: `${operation.declared.schema.summary}.`, args: ID_ARGUMENT }),
      ...adds('one', node.operation),
      async resolve(parent, given: { id?: string }, context) {
        const id = idOf ? idOf(parent) : operation.checked('params', { id: given.id as string }).id
        if (id === null) return null
        operation.authorize(context)
        const row = await find(context).load(id)
        // A row that is gone by now, or that the caller may not see, is no fault of a list that names it.
        return idOf ? (row ?? null) : orNotFound(row)
      },
    }
  }

  #answer(operation: CheckedOperation): GraphField {
    const { response, summary } = operation.declared.schema as {
      response: Record<string, { title: string }>
      summary: string
    }
    return {
      type: this.#type(String(response['200']?.title)),
      description: `${summary}.`,
      ...adds('one', operation.declared.schema.operationId),
      async resolve(_root, _given, context) {
        operation.authorize(context)
        return operation.declared.handler(context.request, undefined as never)
      },
    }
  }

  #mutations(): Fields {
    const names = this.#graphs.flatMap(({ mutations = [] }) => mutations)
    const field = (name: string) => mutationField(new CheckedOperation(this.#app, name), this.#types, this.#shapes)
    return Object.fromEntries(names.map(name => [name, field(name)])) as Fields
  }

  #type(name: string): GraphQLObjectType {
    const type = this.#types.get(name)
    if (!type) throw new Error(`no domain has the type ${name}`)
    return type
  }

  #connection(name: string): GraphQLObjectType {
    const made = this.#connections.get(name) ?? connectionOf(this.#type(name))
    this.#connections.set(name, made)
    return made
  }
}

const VERSION = {
  type: new GraphQLNonNull(GraphQLInt),
  description: 'Grows with every change; `ifVersion` of a mutation takes it. It is the `ETag` of the resource.',
}
const ID_ARGUMENT = { id: { type: new GraphQLNonNull(GraphQLID) } }

/** Finds all rows of a type on one level in one statement. */
const finder = (type: string, { find, idOf = ({ id }: { id: string }) => id }: NodeType) => {
  const idOfRow = idOf as (row: object) => string
  return (context: GraphContext) =>
    context.loader<string, object | undefined>(
      type,
      async ids => {
        const rows = await find(context.on, { ...context.principal, ids: [...ids] })
        const byId = new Map(rows.map(row => [idOfRow(row), row]))
        return ids.map(id => byId.get(id))
      },
      id => id,
    )
}
