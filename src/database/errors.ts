import { type AppError, errorOfConstraint, isUnavailable, requestErrors } from '../lib/errors.ts'

const QUERY_CANCELED = '57014'
const LOCK_NOT_AVAILABLE = '55P03'
const FOREIGN_KEY_VIOLATION = '23503'
const SERIALIZATION_FAILURE = '40001'
const DEADLOCK = '40P01'
const CONFLICTS = [SERIALIZATION_FAILURE, DEADLOCK]
/**
 * SQLSTATE classes that mean the server is unavailable: connection, transaction state (25006: a standby is read-only),
 * resources, operator intervention.
 */
const DOWN_CLASSES = ['08', '25', '53', '57']
const SOCKET_CODES = ['ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'ENOENT', 'EHOSTUNREACH', 'ENOTFOUND']
/** Errors of the driver itself have no code. */
const DRIVER_MESSAGES =
  /^(Connection terminated|Client has encountered a connection error|Client was closed|Query read timeout)/
const ACQUIRE_MESSAGE = /^(timeout exceeded when trying to connect|timeout expired)/

interface DatabaseError extends Error {
  code?: string
  constraint?: string
}

export const databaseDown = (cause?: unknown): AppError => requestErrors.database_unavailable({ cause })

/** The server ran the statement, but its answer cannot be read: a write may have been committed. */
export class UnreadableRows extends Error {
  constructor(statement: string, cause: Error) {
    super(`rows of ${statement} cannot be read: ${cause.message}`, { cause })
  }
}

/**
 * Whether the error of a shared statement has a cause that no single caller can be responsible for: the server is
 * unavailable, overloaded, or ended the statement at a time limit. Deadlocks and similar conflicts return false: they
 * come at once and depend on the rows of a caller.
 */
export function concernsEveryone(error: unknown): boolean {
  if (!isUnavailable(error)) return false
  const { cause } = error as AppError
  return !(cause instanceof Error && CONFLICTS.includes((cause as DatabaseError).code ?? ''))
}

/** Maps a database error to the error of the API; undefined when it does not come from the database. */
export function fromDatabase(error: DatabaseError): AppError | undefined {
  const { code = '', constraint, message } = error
  if (constraint) return (errorOfConstraint(constraint) ?? goneMeanwhile(code))?.({ cause: error })
  if ([QUERY_CANCELED, LOCK_NOT_AVAILABLE].includes(code)) return requestErrors.handler_timeout({ cause: error })
  if (CONFLICTS.includes(code)) return requestErrors.overloaded({ cause: error })
  if (ACQUIRE_MESSAGE.test(message)) return requestErrors.overloaded({ cause: error })
  const down = DOWN_CLASSES.includes(code.slice(0, 2)) || SOCKET_CODES.includes(code) || DRIVER_MESSAGES.test(message)
  return down ? databaseDown(error) : undefined
}

/** The row that a foreign key refers to was deleted during the request, so the answer is 404. */
const goneMeanwhile = (code: string) => (code === FOREIGN_KEY_VIOLATION ? requestErrors.not_found : undefined)
