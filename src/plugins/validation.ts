import { Ajv, type Options } from 'ajv'
import formats from 'ajv-formats'
import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'

/** Bodies are taken as they are sent: nothing is coerced, dropped or filled in. */
const STRICT: Options = { allErrors: false, coerceTypes: false, removeAdditional: false, allowUnionTypes: true }
/** Query, path and headers are text on the wire. */
const COERCING: Options = { ...STRICT, coerceTypes: 'array', useDefaults: true }

const withFormats = (options: Options): Ajv => {
  const ajv = new Ajv(options)
  formats.default(ajv, { mode: 'full' })
  return ajv
}

async function validation(app: FastifyInstance) {
  const strict = withFormats(STRICT)
  const coercing = withFormats(COERCING)
  app.setValidatorCompiler(({ schema, httpPart }) => (httpPart === 'body' ? strict : coercing).compile(schema))
  // Its parser would let a text body past the schema.
  app.removeContentTypeParser('text/plain')
}

export const validationPlugin = fp(validation, { name: 'validation' })
