/** Why the embedded database cannot serve: one sentence for a person, with the path and what to do. */
export class EmbeddedError extends Error {
  override readonly name = 'EmbeddedError'
}

/** The sentence of whatever went wrong with the file system or a process; an `EmbeddedError` has its own. */
export function asEmbeddedError(error: unknown, folder: string): EmbeddedError {
  if (error instanceof EmbeddedError) return error
  const reason = error instanceof Error ? error.message : String(error)
  return new EmbeddedError(
    `The embedded PostgreSQL cannot use ${folder} (${reason}): set DATA_DIR to another folder, or DATABASE_URL to a server.`,
    { cause: error },
  )
}
