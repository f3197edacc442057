import { type Static, Type } from '@sinclair/typebox'
import { Closed, Nullable } from '../../lib/schema.ts'

const DOCUMENT_CHARACTERS = 20_000
const NAME_CHARACTERS = 255

const PersistedQuery = Type.Object({
  version: Type.Literal(1),
  sha256Hash: Type.String({ pattern: '^[0-9a-f]{64}$' }),
})

/** The body of GraphQL over HTTP. The variables are checked by the schema of the graph, and unknown extensions ignored. */
export const GraphRequest = Closed({
  query: Type.Optional(Nullable(Type.String({ maxLength: DOCUMENT_CHARACTERS }))),
  operationName: Type.Optional(Nullable(Type.String({ maxLength: NAME_CHARACTERS }))),
  variables: Type.Optional(Nullable(Type.Object({}))),
  extensions: Type.Optional(Nullable(Type.Object({ persistedQuery: Type.Optional(PersistedQuery) }))),
})
export type GraphRequest = Static<typeof GraphRequest>

export interface GraphAnswer {
  data?: unknown
  errors?: readonly object[]
}
