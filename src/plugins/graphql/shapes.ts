import type { TSchema } from '@sinclair/typebox'
import {
  GraphQLBoolean,
  GraphQLEnumType,
  GraphQLFloat,
  GraphQLID,
  GraphQLInputObjectType,
  type GraphQLInputType,
  GraphQLInt,
  GraphQLList,
  GraphQLNonNull,
  type GraphQLNullableType,
  GraphQLObjectType,
  type GraphQLOutputType,
  GraphQLScalarType,
  GraphQLString,
} from 'graphql'

/** The mutation's own schema checks the text of a time; here it is only a text. */
const DateTime = new GraphQLScalarType<string, string>({
  name: 'DateTime',
  description: 'A time: UTC with milliseconds and `Z`; taken with any offset of RFC 3339.',
  serialize: value => value as string,
  parseValue: value => GraphQLString.parseValue(value),
  parseLiteral: node => GraphQLString.parseLiteral(node, {}),
})

const MAX_INT = 2 ** 31 - 1

const capital = (name: string): string => name.charAt(0).toUpperCase() + name.slice(1)
const isNullable = ({ type }: TSchema): boolean => [type].flat().includes('null')
const titleOf = ({ title }: TSchema): string => String(title)

/** A sort such as `-createdAt` is `createdAtDesc`, because a name has no hyphen. */
const nameOf = (value: string): string => (value.startsWith('-') ? `${value.slice(1)}Desc` : value)

interface Place {
  /** The type that has the property. */
  owner: string
  property: string
}

/** Turns schemas of the wire into types of the graph. Each is made once, so equal enums are one type. */
export class Shapes {
  readonly #enums = new Map<string, GraphQLEnumType>()
  readonly #inputs = new Map<string, GraphQLInputObjectType>()
  readonly #objects = new Map<string, GraphQLObjectType>()

  /** Returns the fields of an object, one for each property. */
  fields(schema: TSchema): Record<string, { type: GraphQLOutputType; description?: string }> {
    const entries = Object.entries<TSchema>(schema.properties).map(([property, value]) => {
      const type = this.#output(value, { owner: titleOf(schema), property })
      return [property, { type: isNullable(value) ? type : new GraphQLNonNull(type), ...described(value) }]
    })
    return Object.fromEntries(entries)
  }

  /** Returns the arguments for the properties of a query string; none is required. */
  arguments(schema: TSchema, owner: string): Record<string, { type: GraphQLInputType; description?: string }> {
    const entries = Object.entries<TSchema>(schema.properties).map(([property, value]) => [
      property,
      {
        type: this.#input(value, { owner, property }),
        ...(property === 'sort' ? { description: SORT } : described(value)),
      },
    ])
    return Object.fromEntries(entries)
  }

  /** Returns the input type for a body. */
  input(schema: TSchema): GraphQLInputObjectType {
    const name = `${titleOf(schema)}Input`
    const known = this.#inputs.get(name)
    if (known) return known
    const required: string[] = schema.required ?? []
    const fields = Object.entries<TSchema>(schema.properties).map(([property, value]) => {
      const type = this.#input(value, { owner: titleOf(schema), property })
      const mustBe = required.includes(property) && !isNullable(value)
      return [property, { type: mustBe ? new GraphQLNonNull(type) : type, ...described(value) }]
    })
    const made = new GraphQLInputObjectType({ name, fields: Object.fromEntries(fields), ...described(schema) })
    this.#inputs.set(name, made)
    return made
  }

  #output(schema: TSchema, place: Place): GraphQLNullableType & GraphQLOutputType {
    if (typeOf(schema) === 'object') return this.#object(schema)
    if (typeOf(schema) !== 'array') return this.#leaf(schema, place)
    return new GraphQLList(new GraphQLNonNull(this.#output(schema.items, place)))
  }

  #input(schema: TSchema, place: Place): GraphQLNullableType & GraphQLInputType {
    if (typeOf(schema) === 'object') return this.input(schema)
    if (typeOf(schema) !== 'array') return this.#leaf(schema, place)
    return new GraphQLList(new GraphQLNonNull(this.#input(schema.items, place)))
  }

  #object(schema: TSchema): GraphQLObjectType {
    const name = titleOf(schema)
    const made = this.#objects.get(name) ?? new GraphQLObjectType({ name, fields: this.fields(schema) })
    this.#objects.set(name, made)
    return made
  }

  #leaf(schema: TSchema, place: Place): GraphQLScalarType | GraphQLEnumType {
    if (schema.enum) return this.#enum(schema, place)
    if (schema.format === 'uuid') return GraphQLID
    if (schema.format === 'date-time') return DateTime
    const type = typeOf(schema)
    if (type === 'boolean') return GraphQLBoolean
    if (type === 'number') return GraphQLFloat
    if (type === 'integer') return schema.maximum <= MAX_INT ? GraphQLInt : GraphQLFloat
    return GraphQLString
  }

  /** A filter and a body have the enum of the type that they are about: it was made first. */
  #enum(schema: TSchema, { owner, property }: Place): GraphQLEnumType {
    const names: string[] = schema.enum.filter((value: string | null) => value !== null)
    const key = `${property === 'sort' ? owner : ''}${property} ${names.join()}`
    const values = Object.fromEntries(names.map(value => [nameOf(value), { value }]))
    const made =
      this.#enums.get(key) ??
      new GraphQLEnumType({
        name: `${owner}${capital(property)}`,
        values,
        ...(property === 'sort' ? { description: SORT } : described(schema)),
      })
    this.#enums.set(key, made)
    return made
  }
}

const SORT = 'What to sort by; with `Desc` from the last to the first.'

const typeOf = ({ type }: TSchema): string => [type].flat().find(name => name !== 'null')
const described = ({ description }: TSchema) => (description === undefined ? {} : { description })
