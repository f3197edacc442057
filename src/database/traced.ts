import type { Tracing } from '../lib/tracing.ts'
import type { Query } from './query.ts'
import type { SingleStatements } from './single-statements.ts'

/** Runs a statement, as a span where its caller is recorded. The span has its name and never its values. */
export function recorded<Result>(
  tracing: Tracing | null,
  { name }: Query<Result>,
  run: () => Promise<Result[]>,
): Promise<Result[]> {
  if (!tracing?.isRecording) return run()
  const attributes = { 'db.system.name': 'postgresql', 'db.query.summary': name }
  return tracing.span(name, { kind: 'client', attributes }, run)
}

/** Records the statements of callers that are recorded. */
export class TracedStatements implements SingleStatements {
  readonly #statements: SingleStatements
  readonly #tracing: Tracing

  constructor(statements: SingleStatements, tracing: Tracing) {
    this.#statements = statements
    this.#tracing = tracing
  }

  get connected(): boolean {
    return this.#statements.connected
  }

  open(): Promise<void> {
    return this.#statements.open()
  }

  read<Result>(query: Query<Result>): Promise<Result[]> {
    return recorded(this.#tracing, query, () => this.#statements.read(query))
  }

  write<Result>(query: Query<Result>): Promise<Result[]> {
    return recorded(this.#tracing, query, () => this.#statements.write(query))
  }

  close(): Promise<void> {
    return this.#statements.close()
  }
}
