import type { TSchema } from '@sinclair/typebox'
import { _, Ajv, type CodeKeywordDefinition, type Options } from 'ajv'
import formats from 'ajv-formats'
import type { FastifyInstance, FastifyReply, FastifyRequest, FastifySchemaCompiler } from 'fastify'
import fp from 'fastify-plugin'
import { requestErrors } from '../lib/errors.ts'
import { keyOfSchema, memoize } from '../lib/memo.ts'
import { formOf } from '../lib/normal-form.ts'
import { BYTES, MULTIPART } from '../lib/schema.ts'

/** Bodies are used as sent: nothing is coerced, dropped or filled in; only texts get their normal form. */
const STRICT: Options = { allErrors: false, coerceTypes: false, removeAdditional: false, allowUnionTypes: true }
/** Query, path and headers arrive as text. */
const COERCING: Options = { ...STRICT, coerceTypes: 'array', useDefaults: true }

/** Checks a text and replaces it by its normal form, before any other check. */
const normalFormKeyword: CodeKeywordDefinition = {
  keyword: 'normalForm',
  type: 'string',
  before: 'maxLength',
  error: { message: ({ gen, schema, data }) => _`${gen.scopeValue('keyword', { ref: schema })}.why(${data})` },
  // Written as generated code: a function would cost an object and a path for each value.
  code(context) {
    const { gen, schema, data, it } = context
    const form = gen.scopeValue('keyword', { ref: schema })
    const normal = gen.const('normal', _`${form}.of(${data})`)
    context.fail(_`${normal} === undefined`)
    gen.if(_`${normal} !== ${data} && ${it.parentData}`, () => {
      gen.assign(_`${it.parentData}[${it.parentDataProperty}]`, normal)
      gen.assign(data, normal)
    })
  },
}

/** Coercion turns the text `1e400` into Infinity, which passes as an integer and has no maximum. */
const finiteKeyword: CodeKeywordDefinition = {
  keyword: 'finite',
  error: { message: 'must be a number' },
  code: context => context.fail(_`typeof ${context.data} == "number" && !isFinite(${context.data})`),
}

/**
 * Returns a copy of `schema` in which texts have the keyword for their form instead of a format that accepts more, and
 * numbers must be finite.
 */
function withNormalForms(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(withNormalForms)
  if (typeof schema !== 'object' || schema === null) return schema
  const copy = Object.fromEntries(Object.entries(schema).map(([key, value]) => [key, withNormalForms(value)]))
  const types = [copy.type].flat()
  if (types.includes('integer') || types.includes('number')) return { ...copy, finite: true }
  const form = types.includes('string') ? formOf(schema as TSchema) : undefined
  if (!form) return copy
  const { format: _format, ...rest } = copy
  return { ...rest, normalForm: form }
}

const withFormats = (options: Options): Ajv => {
  const ajv = new Ajv(options).addKeyword(normalFormKeyword).addKeyword(finiteKeyword)
  formats.default(ajv, { mode: 'full' })
  return ajv
}

const strict = withFormats(STRICT)
const coercing = withFormats(COERCING)
const once = memoize()

/**
 * Equal schemas are compiled once in a process: many routes have the same parameters, and tests build many applications,
 * for each of which this was half of the CPU time.
 */
const compile: FastifySchemaCompiler<unknown> = ({ schema, httpPart }) => {
  const normal = withNormalForms(schema) as object
  const ajv = httpPart === 'body' ? strict : coercing
  return once(`${ajv === strict} ${keyOfSchema(normal)}`, () => ajv.compile(normal))
}

const STREAMED: readonly string[] = [BYTES, MULTIPART]

async function validation(app: FastifyInstance) {
  app.setValidatorCompiler(compile)
  // Fastify's `text/plain` parser would let a body bypass the schema.
  app.removeContentTypeParser('text/plain')
  app.addHook('onRoute', route => {
    // The handler reads such a body as a stream, and checks it then.
    if (route.schema?.consumes?.some(type => STREAMED.includes(type)))
      route.validatorCompiler = part => (part.httpPart === 'body' ? () => true : compile(part))
    if (route.schema?.body || ['GET', 'HEAD', 'OPTIONS'].includes(String(route.method))) return
    route.preValidation = [refuseBody, ...[route.preValidation ?? []].flat()]
  })
}

/** Refuses a body for which there is no schema; it would be ignored otherwise. */
function refuseBody({ body }: FastifyRequest, _reply: FastifyReply, done: (error?: Error) => void): void {
  const detail = 'this operation takes no body'
  done(body == null ? undefined : requestErrors.validation_failed({ detail, errors: [{ pointer: '#', detail }] }))
}

export const validationPlugin = fp(validation, { name: 'validation' })
