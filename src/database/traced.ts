import type { Tracing } from '../lib/tracing.ts'
import type { Query } from './query.ts'
import type { SingleStatements } from './single-statements.ts'

/** Runs a statement as a span, which has its name and never its values. */
export const spanOf = <Result>(
  tracing: Tracing,
  { name }: Query<Result>,
  run: () => Promise<Result[]>,
): Promise<Result[]> =>
  tracing.span(name, { kind: 'client', attributes: { 'db.system.name': 'postgresql', 'db.query.summary': name } }, run)

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
    const run = () => this.#statements.read(query)
    return this.#tracing.isRecording ? spanOf(this.#tracing, query, run) : run()
  }

  write<Result>(query: Query<Result>): Promise<Result[]> {
    const run = () => this.#statements.write(query)
    return this.#tracing.isRecording ? spanOf(this.#tracing, query, run) : run()
  }

  close(): Promise<void> {
    return this.#statements.close()
  }
}
