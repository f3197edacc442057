import { type AppError, errorOfConstraint, isUnavailable, requestErrors } from '../lib/errors.ts'

const QUERY_CANCELED = '57014'
const LOCK_NOT_AVAILABLE = '55P03'
const FOREIGN_KEY_VIOLATION = '23503'
const SERIALIZATION_FAILURE = '40001'
const DEADLOCK = '40P01'
const CONFLICTS = [SERIALIZATION_FAILURE, DEADLOCK]
/**
 * SQLSTATE classes that say the server or the way to it is gone: connection, state of the transaction (25006: a standby only
 * reads), resources, operator intervention.
 */
const DOWN_CLASSES = ['08', '25', '53', '57']
const SOCKET_CODES = ['ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'ENOENT', 'EHOSTUNREACH', 'ENOTFOUND']
/** The driver's own errors have no code. */
const DRIVER_MESSAGES =
  /^(Connection terminated|Client has encountered a connection error|Client was closed|Query read timeout)/
const ACQUIRE_MESSAGE = /^(timeout exceeded when trying to connect|timeout expired)/

interface DatabaseError extends Error {
  code?: string
  constraint?: string
}

export const databaseDown = (cause?: unknown): AppError => requestErrors.database_unavailable({ cause })

/** The server has done what it was asked, and an answer came that cannot be read: a write may have been committed. */
export class UnreadableRows extends Error {
  constructor(statement: string, cause: Error) {
    super(`rows of ${statement} cannot be read: ${cause.message}`, { cause })
  }
}

/**
 * Whether a statement of many callers failed for what none of them can have caused: the server is away, overloaded, or has
 * ended it at a limit of time. A deadlock and its like end at once, and are of the rows that a caller wanted.
 */
export function concernsEveryone(error: unknown): boolean {
  if (!isUnavailable(error)) return false
  const { cause } = error as AppError
  return !(cause instanceof Error && CONFLICTS.includes((cause as DatabaseError).code ?? ''))
}

/** The answer to an error that came out of the database layer, or undefined when it is none of the database's. */
export function fromDatabase(error: DatabaseError): AppError | undefined {
  const { code = '', constraint, message } = error
  if (constraint) return (errorOfConstraint(constraint) ?? goneMeanwhile(code))?.({ cause: error })
  if ([QUERY_CANCELED, LOCK_NOT_AVAILABLE].includes(code)) return requestErrors.handler_timeout({ cause: error })
  if (CONFLICTS.includes(code)) return requestErrors.overloaded({ cause: error })
  if (ACQUIRE_MESSAGE.test(message)) return requestErrors.overloaded({ cause: error })
  const down = DOWN_CLASSES.includes(code.slice(0, 2)) || SOCKET_CODES.includes(code) || DRIVER_MESSAGES.test(message)
  return down ? databaseDown(error) : undefined
}

/** What a row refers to was there when the request came, and is not when it is written. */
const goneMeanwhile = (code: string) => (code === FOREIGN_KEY_VIOLATION ? requestErrors.not_found : undefined)
