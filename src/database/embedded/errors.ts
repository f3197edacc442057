/** The embedded database cannot be used. The message is one sentence for the operator, with the path and what to do. */
export class EmbeddedError extends Error {
  override readonly name = 'EmbeddedError'
}

/** Turns an error of the file system or of a process into an `EmbeddedError`; returns one unchanged. */
export function asEmbeddedError(error: unknown, folder: string): EmbeddedError {
  if (error instanceof EmbeddedError) return error
  if (isSpawnError(error)) {
    return new EmbeddedError(
      `The embedded PostgreSQL does not run on this system (${error.message}): set DATABASE_URL to a PostgreSQL server.`,
      { cause: error },
    )
  }
  const [reason] = String(error instanceof Error ? error.message : error).split('\n')
  return new EmbeddedError(
    `The embedded PostgreSQL cannot use ${folder} (${reason}): set DATA_DIR to another folder, or DATABASE_URL to a server.`,
    { cause: error },
  )
}

/**
 * Whether the program cannot be started at all: it was built for another C library, or this process may not change the
 * user.
 */
export const isSpawnError = (error: unknown): error is NodeJS.ErrnoException =>
  error instanceof Error && 'syscall' in error && String(error.syscall).startsWith('spawn')
