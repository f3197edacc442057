/** Why the embedded database cannot serve: one sentence for a person, with the path and what to do. */
export class EmbeddedError extends Error {
  override readonly name = 'EmbeddedError'
}

/** The sentence of whatever went wrong with the file system or a process; an `EmbeddedError` has its own. */
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

/** The program cannot be started at all: another C library than the one it was built for, or no right to change the user. */
export const isSpawnError = (error: unknown): error is NodeJS.ErrnoException =>
  error instanceof Error && 'syscall' in error && String(error.syscall).startsWith('spawn')
