import { LruMap } from 'toad-cache'
import { sha256 } from '../../lib/crypto.ts'
import { invalid } from '../../lib/errors.ts'
import { graphqlErrors } from './errors.ts'
import type { GraphRequest } from './request.ts'

/** Documents that this process knows by their hash; one has up to 20 KB. */
const KEPT = 500

/**
 * Automatic persisted queries: a client sends the SHA-256 of a document, and the document itself only when this process
 * does not know it. A hash says nothing about access: every request is checked as if it had the document.
 */
export class PersistedDocuments {
  /** Those that were used last. */
  readonly #known = new LruMap<string>(KEPT)

  /** Returns the document of a request. Throws `persisted_query_not_found`, `validation_failed`. */
  documentOf({ query, extensions }: GraphRequest): string {
    const hash = extensions?.persistedQuery?.sha256Hash
    if (hash === undefined) {
      if (query == null) throw invalid('#/query', 'is required without the hash of a persisted query')
      return query
    }
    if (query == null) return this.#find(hash)
    if (sha256(query).toString('hex') !== hash)
      throw invalid('#/extensions/persistedQuery/sha256Hash', 'is not the SHA-256 of the query')
    this.#known.set(hash, query)
    return query
  }

  #find(hash: string): string {
    const document = this.#known.get(hash)
    if (document === undefined) throw graphqlErrors.persisted_query_not_found()
    return document
  }
}
