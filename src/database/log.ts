/** The part of a pino logger that the database needs. */
export interface Log {
  warn(details: object, message: string): void
}
