import { uuidv7 } from 'uuidv7'

/**
 * Returns a new UUIDv7 (RFC 9562 §5.7). Ids are monotonic within the process, so they sort in the order of creation.
 */
export const newId = (): string => uuidv7()
