import { Ajv, type Options } from 'ajv'
import formats from 'ajv-formats'
import { fullFormats } from 'ajv-formats/dist/formats.js'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import { requestErrors } from '../lib/errors.ts'

/** Bodies are taken as they are sent: nothing is coerced, dropped or filled in. */
const STRICT: Options = { allErrors: false, coerceTypes: false, removeAdditional: false, allowUnionTypes: true }
/** Query, path and headers are text on the wire. */
const COERCING: Options = { ...STRICT, coerceTypes: 'array', useDefaults: true }

const { validate: isDateTime } = fullFormats['date-time'] as { validate: (text: string) => boolean }
const FIRST_TIME = Date.parse('0001-01-01T00:00:00.000Z')
const LAST_TIME = Date.parse('9999-12-31T23:59:59.999Z')

/** RFC 3339 within what our answers can say: no leap second, and four digits for the year in UTC. */
const isTime = (text: string): boolean =>
  isDateTime(text) && Date.parse(text) >= FIRST_TIME && Date.parse(text) <= LAST_TIME

const withFormats = (options: Options): Ajv => {
  const ajv = new Ajv(options)
  formats.default(ajv, { mode: 'full' })
  return ajv.addFormat('date-time', isTime)
}

async function validation(app: FastifyInstance) {
  const strict = withFormats(STRICT)
  const coercing = withFormats(COERCING)
  app.setValidatorCompiler(({ schema, httpPart }) => (httpPart === 'body' ? strict : coercing).compile(schema))
  // Its parser would let a text body past the schema.
  app.removeContentTypeParser('text/plain')
  app.addHook('onRoute', route => {
    if (route.schema?.body || ['GET', 'HEAD', 'OPTIONS'].includes(String(route.method))) return
    route.preValidation = [refuseBody, ...[route.preValidation ?? []].flat()]
  })
}

/** A body without a schema would be dropped in silence. */
function refuseBody({ body }: FastifyRequest, _reply: FastifyReply, done: (error?: Error) => void): void {
  const detail = 'this operation takes no body'
  done(body == null ? undefined : requestErrors.validation_failed({ detail, errors: [{ pointer: '#', detail }] }))
}

export const validationPlugin = fp(validation, { name: 'validation' })
