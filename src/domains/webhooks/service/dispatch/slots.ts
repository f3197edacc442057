/** Attempts at once to one endpoint: with an answer in 10 ms they are 1,000 a second. */
const OF_ENDPOINT = 10
/**
 * Attempts at once to one origin. The outgoing client has 32 sockets for each, and waiting for one would count as time
 * of the receiver.
 */
const OF_ORIGIN = 24
/** Attempts at once of one process. Each holds a socket and up to 64 KiB of an answer. */
export const OF_PROCESS = 256

/** Attempts that are under way. */
export interface Active {
  inProcess: number
  toOrigin: number
  toEndpoint: number
}

/**
 * Returns how many attempts to an endpoint may be under way. Half of what is shared is for endpoints with no attempt
 * under way: receivers that hold each attempt for 15 s cannot take all of it from the others.
 */
export function limitOf({ inProcess, toOrigin }: Active): number {
  if (inProcess >= OF_PROCESS || toOrigin >= OF_ORIGIN) return 0
  return inProcess >= OF_PROCESS / 2 || toOrigin >= OF_ORIGIN / 2 ? 1 : OF_ENDPOINT
}

/** Returns how many attempts to an endpoint may begin now. */
export const freeSlots = (active: Active): number => Math.max(0, limitOf(active) - active.toEndpoint)
