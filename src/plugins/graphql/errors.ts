import { defineErrors } from '../../lib/errors.ts'

export const graphqlErrors = defineErrors({
  graphql_invalid: {
    status: 400,
    title: 'The document cannot be executed',
    help: 'The GraphQL document cannot be parsed, does not fit the schema, or its variables do not; `message` and `locations` say where. Correct the document; the schema is published with the documentation.',
  },
  graphql_too_large: {
    status: 400,
    title: 'The query asks for too much',
    help: 'The GraphQL document is too deep or too broad, has too many aliases, or may return too many rows; `message` names the limit. Ask for less at a time: fewer levels, a smaller `first`, several requests.',
  },
  graphql_rolled_back: {
    status: 409,
    title: 'Nothing was done',
    help: 'Another mutation of the same request failed, and with an `Idempotency-Key` they are done together or not at all. Correct the one that failed and send all of them again.',
  },
  persisted_query_not_found: {
    status: 400,
    title: 'PersistedQueryNotFound',
    help: 'This process does not know the document of the hash. Send the document together with its hash; clients of automatic persisted queries do that by themselves.',
  },
})
