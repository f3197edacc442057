import type { TSchema } from '@sinclair/typebox'
import type { FastifyError, FastifyInstance } from 'fastify'
import type { Actor } from '../lib/access.ts'
import type { AppError } from '../lib/errors.ts'
import { refusedBy } from './access.ts'
import { toAppError } from './errors.ts'
import type { DeclaredOperation } from './routes.ts'

type Part = 'body' | 'params' | 'querystring'
type Validate = ((value: unknown) => boolean) & { errors?: FastifyError['validation'] }

/** An operation with its access rule and the checks of its schemas, for those who do the same in another way than by its route. */
export class CheckedOperation {
  readonly declared: DeclaredOperation
  readonly #app: FastifyInstance
  readonly #validators = new Map<Part, Validate>()

  constructor(app: FastifyInstance, id: string) {
    const declared = app.operations.get(id)
    if (!declared) throw new Error(`there is no operation ${id}`)
    this.#app = app
    this.declared = declared
  }

  /** The resource that the path parameter `id` names. */
  get of(): string | undefined {
    const { access } = this.declared.config
    return access?.kind === 'organization' ? access.of : undefined
  }

  /** Checks what the credential alone decides. Throws `forbidden`. */
  authorize({ actor }: { actor: Actor }): void {
    const { access } = this.declared.config
    const refusal = access && refusedBy(access, actor)
    if (refusal) throw refusal
  }

  /** Checks membership where the statement of the operation does not. Throws `not_found`, `forbidden`. */
  async belongs({ actor }: { actor: Actor }, id: string) {
    const { access } = this.declared.config
    if (access?.kind !== 'organization' || access.checkedBy === 'statement') return null
    return this.#app.tenancy.check(access.of, id, actor, access.role, access.orPlatform)
  }

  /** Returns the value in its normal form, as the route would take it. Throws `validation_failed`. */
  checked<Value extends object>(part: Part, value: Value): Value {
    const validate = this.#validators.get(part) ?? this.#compile(part)
    this.#validators.set(part, validate)
    const copy = structuredClone(value)
    if (!validate(copy)) throw invalid(validate.errors, part)
    return copy
  }

  #compile(part: Part): Validate {
    const { url, method, schema } = this.declared
    const compiler = this.#app.validatorCompiler
    if (!compiler) throw new Error('the application has no validator')
    return compiler({ schema: schema[part] as TSchema, method, url, httpPart: part }) as Validate
  }
}

const invalid = (validation: FastifyError['validation'], validationContext: string): AppError =>
  toAppError({ validation, validationContext } as FastifyError)
