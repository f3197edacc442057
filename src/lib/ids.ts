import { uuidv7 } from 'uuidv7'

/** The id before all others (RFC 9562 §5.9). */
export const NIL_ID = '00000000-0000-0000-0000-000000000000'

/**
 * Returns a new UUIDv7 (RFC 9562 §5.7). Ids are monotonic within the process, so they sort in the order of creation.
 */
export const newId = (): string => uuidv7()

/** Returns the last 64 bits of an id, which are random, as the signed number that names an advisory lock. */
export const lockKeyOf = (id: string): bigint => BigInt.asIntN(64, BigInt(`0x${id.slice(19).replace('-', '')}`))
