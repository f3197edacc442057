import fastJsonStringify from 'fast-json-stringify'
import type { FastifyInstance, FastifySerializerCompiler } from 'fastify'
import fp from 'fastify-plugin'
import { keyOfSchema, memoize } from '../lib/memo.ts'
import { isList, type ListOf } from '../lib/schema.ts'

type Schema = { [key: string]: unknown }

const isPlainText = ({ format, enum: values }: Schema): boolean =>
  format === 'uuid' ||
  format === 'date-time' ||
  (Array.isArray(values) && values.some(value => typeof value === 'string'))

/**
 * Marks ids, times (already text from the database) and enum values as free of characters to escape: searching for such
 * characters is a third of serializing a task.
 */
function withoutEscapes(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(withoutEscapes)
  if (typeof schema !== 'object' || schema === null) return schema
  const copy = Object.fromEntries(Object.entries(schema).map(([key, value]) => [key, withoutEscapes(value)]))
  if (!isPlainText(copy)) return copy
  const { enum: _, ...plain } = copy
  return { ...plain, format: 'unsafe' }
}

/** Serializes lists. On the fast path the rows are already written, and only the meta is added. */
function listSerializer(schema: { properties: { meta: object } }) {
  const meta = fastJsonStringify(schema.properties.meta)
  let whole: ((list: object) => string) | undefined
  return (list: ListOf<unknown>): string => {
    if (!Array.isArray(list.data)) return list.data.complete(meta(list.meta))
    whole ??= fastJsonStringify(withoutEscapes(schema) as object)
    return whole(list)
  }
}

const once = memoize()

/** Equal schemas are compiled once in a process: the problems of all routes are one schema. */
const compile: FastifySerializerCompiler<unknown> = ({ schema }) =>
  once(keyOfSchema(schema), () =>
    isList(schema as Schema)
      ? (listSerializer(schema as never) as (list: unknown) => string)
      : fastJsonStringify(withoutEscapes(schema) as object),
  )

async function serialization(app: FastifyInstance) {
  app.setSerializerCompiler(compile)
}

export const serializationPlugin = fp(serialization, { name: 'serialization' })
