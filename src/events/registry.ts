import type { Static, TObject } from '@sinclair/typebox'
import fastJsonStringify from 'fast-json-stringify'
import { declareEventFilters } from '../lib/event-filters.ts'

/** A type of event. `data` is the target after the change, in its wire shape, with only the properties of `schema`. */
export interface EventType<Data = unknown> {
  readonly name: string
  readonly target: string
  readonly schema: TObject
  /** Of the data. Properties may be added to a version; what changes the meaning of one needs another type of event. */
  readonly version: number
  /** Returns the data of the event as JSON text, with only the properties of the schema. */
  serialize(data: Data): string
}

const known = new Map<string, EventType<never>>()

/** Every declared type, for the OpenAPI document and for checking subscriptions. */
export const eventTypes: ReadonlyMap<string, EventType<never>> = known

/**
 * Compiles the serializer on first use: a start needs none of them, and the scopes in the schemas are known only once
 * an app is built.
 */
function serializerOf(schema: TObject): (data: unknown) => string {
  let stringify: ((data: unknown) => string) | undefined
  return data => {
    stringify ??= fastJsonStringify(schema as object) as (data: unknown) => string
    return stringify(data)
  }
}

const isOfOrganization = (target: string, { properties }: TObject): boolean =>
  target === 'organization' || 'organizationId' in properties

/** `defineEvents('task', { created: Task, … })` declares `task.created` and so on. */
export function defineEvents<const D extends Record<string, TObject>>(target: string, schemas: D) {
  const ofOrganization = Object.keys(schemas).filter(action => isOfOrganization(target, schemas[action] as TObject))
  declareEventFilters(target, ofOrganization)
  const types = Object.entries(schemas).map(([action, schema]) => {
    const name = `${target}.${action}`
    const type: EventType = { name, target, schema, version: 1, serialize: serializerOf(schema) }
    known.set(name, type as EventType<never>)
    return [action, type]
  })
  return Object.fromEntries(types) as { [A in keyof D]: EventType<Static<D[A]>> }
}
