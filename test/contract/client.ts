import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js'
import formats from 'ajv-formats'
import { errorCatalogue } from '../../src/lib/errors.ts'
import type { TestApp } from '../helpers/app.ts'
import { type Answer, type Credentials, call } from '../helpers/call.ts'
import { multipart } from '../helpers/multipart.ts'
import { type Json, type Operation, type Specification, streams } from './specification.ts'

export interface Sending {
  as?: Credentials | null | undefined
  params?: Record<string, string>
  query?: Record<string, string>
  /** JSON, or text or bytes that are sent unchanged. */
  body?: Json
  headers?: Record<string, string>
}

/** An image of one pixel, which every operation takes that takes a file. */
const PIXEL = {
  filename: 'pixel.png',
  type: 'image/png',
  content: Buffer.from(
    'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
    'base64',
  ),
}

const NEVER_CONDITIONAL = ['Request-Id', 'ETag', 'Location', 'Retry-After']

/** Sends requests and checks every response against the document; deviations are collected in `faults`. */
export class Client {
  readonly #test: TestApp
  readonly #specification: Specification
  readonly #ajv = new Ajv2020({ strict: false, allErrors: false, validateFormats: true })
  readonly #validators = new Map<string, ValidateFunction>()
  readonly faults: string[] = []

  constructor(test: TestApp, specification: Specification) {
    this.#test = test
    this.#specification = specification
    formats.default(this.#ajv, { mode: 'full' })
  }

  async send(operation: Operation, { as = null, params = {}, query, body, headers }: Sending): Promise<Answer> {
    const path = operation.path.replace(/\{(\w+)\}/g, (_, name: string) => params[name] ?? `{${name}}`)
    const url = query ? `${path}?${new URLSearchParams(query)}` : path
    const key = operation.keyRequired ? { 'idempotency-key': crypto.randomUUID() } : {}
    const upload = operation.uploads && body === undefined ? multipart(PIXEL) : undefined
    const sent = upload?.body ?? body
    const answer = await call(this.#test.app, `${operation.method} ${url}`, {
      as,
      ...(sent === undefined ? {} : { body: sent }),
      headers: { ...key, ...upload?.headers, ...headers },
      streams: streams(operation),
    })
    for (const fault of this.#faultsOf(operation, answer))
      this.faults.push(`${operation.id} ${answer.status}: ${fault} (${answer.text.slice(0, 200)})`)
    return answer
  }

  #faultsOf(operation: Operation, answer: Answer): string[] {
    const documented = operation.responses[answer.status]
    if (!documented) return ['the status is not in the document']
    const code =
      answer.status < 400 || isDocumented(documented, answer.body?.code)
        ? []
        : [`the code ${answer.body?.code} is not in the document`]
    const faults = NEVER_CONDITIONAL.filter(
      name => documented.headers?.[name] && answer.headers[name.toLowerCase()] === undefined,
    ).map(name => `without its header ${name}`)
    return [...code, ...faults, ...this.#bodyFaults(documented.content, answer), ...problemFaults(answer)]
  }

  #bodyFaults(content: Record<string, { schema: Json }> | undefined, answer: Answer): string[] {
    const type = answer.headers['content-type']?.split(';', 1)[0]
    const isEmpty = !content || Object.values(content).every(({ schema }) => schema?.type === 'null')
    if (isEmpty) return answer.text === '' ? [] : ['a body where the document has none']
    const schema = (content?.[type ?? ''] ?? content?.['*/*'])?.schema
    if (!schema) return [`the content type is ${type}`]
    if (!type?.includes('json')) return []
    const validate = this.#validatorOf(schema)
    if (validate(answer.body)) return []
    const [error] = validate.errors ?? []
    return [`the body does not fit: ${error?.instancePath} ${error?.message}`]
  }

  #validatorOf(schema: Json): ValidateFunction {
    const key = JSON.stringify(schema)
    const known = this.#validators.get(key)
    if (known) return known
    const { components } = this.#specification.document
    const compiled = this.#ajv.compile({ ...schema, components })
    this.#validators.set(key, compiled)
    return compiled
  }
}

/** Whether the examples of the document name the code; they name every code of an operation. */
const isDocumented = ({ content }: Operation['responses'][string], code: string): boolean =>
  code in ((content?.['application/problem+json'] as Json)?.examples ?? {})

/** Checks rules for every problem that the schema cannot express. */
function problemFaults({ status, body, headers }: Answer): string[] {
  if (status < 400) return []
  const rules: [boolean, string][] = [
    [body?.status === status, 'the status in the body is another'],
    [errorCatalogue.get(body?.code)?.status === status, `the code ${body?.code} is not declared with this status`],
    [body?.type?.endsWith(`/docs/errors#${body?.code}`), 'the type does not name the code'],
    [body?.requestId === headers['request-id'], 'the request id is another'],
    [status !== 401 || headers['www-authenticate']?.startsWith('Bearer') === true, 'no WWW-Authenticate'],
    [status < 500, 'a fault of the server'],
  ]
  return rules.flatMap(([holds, fault]) => (holds ? [] : [fault]))
}
