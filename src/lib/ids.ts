import { uuidv7 } from 'uuidv7'

/** A new UUIDv7 (RFC 9562 §5.7), monotonic within the process: ids of one process sort in the order of creation. */
export const newId = (): string => uuidv7()
