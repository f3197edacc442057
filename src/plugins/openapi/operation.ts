import type { Access } from '../../lib/access.ts'
import type { Json } from './components.ts'

type Published<A> = A extends Access ? Omit<A, 'checkedBy'> : never
/** The published access rule: how the server checks it is left out. */
export type PublishedAccess = Published<Access>

export interface Response {
  description: string
  headers?: Record<string, unknown>
  content?: Record<string, { schema: Json; example?: unknown; examples?: Json; codes?: string[] }>
}
export interface Operation {
  operationId: string
  summary: string
  description?: string
  tags: string[]
  security?: Record<string, string[]>[]
  parameters?: Json[]
  requestBody?: { required: boolean; content: Record<string, { schema: Json; example?: unknown }> }
  responses: Record<string, Response>
  'x-access': PublishedAccess
  'x-cache'?: string
  'x-idempotency'?: 'required'
  'x-sensitive'?: boolean | 'address'
}
export interface Tag {
  name: string
  description: string
}
export interface Document {
  openapi: string
  tags?: Tag[]
  paths: Record<string, Record<string, Operation>>
  /** What is sent to webhooks, by the type of the event. */
  webhooks?: Record<string, Json>
  components?: { schemas?: Record<string, Json>; examples?: Record<string, Json> }
}

/** The ids of demo rows for examples, by their collections. */
export type Ids = Readonly<Record<string, string>>

/** An operation with facts that follow from its route. */
export interface Facts {
  path: string
  method: string
  operation: Operation
  /** The response is a row with a version. */
  versioned: boolean
  /** The operation reads or changes a version. */
  conditional: boolean
  /** The response is a list. */
  lists: boolean
  /** The operation takes a cursor: a list, a feed or a stream. */
  resumes: boolean
  /** The operation takes an `Idempotency-Key`. */
  keyed: boolean
}
