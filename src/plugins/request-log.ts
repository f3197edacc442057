import type { FastifyBaseLogger } from 'fastify'

const METHODS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent', 'child'] as const

type Make = () => FastifyBaseLogger

/** A logger that is created when its first line is written. */
class LateLogger {
  readonly #make: Make
  #made: FastifyBaseLogger | undefined

  constructor(make: Make) {
    this.#make = make
  }

  get made(): FastifyBaseLogger {
    this.#made ??= this.#make()
    return this.#made
  }

  get level(): string {
    return this.made.level
  }
}
for (const method of METHODS) {
  const value = function (this: LateLogger, ...args: [never]) {
    return this.made[method](...args)
  }
  Object.defineProperty(LateLogger.prototype, method, { value })
}

/**
 * Returns the logger of a request, whose lines carry its id. It is created late: most requests write no line, and a
 * child logger costs 5 % of a read.
 */
export const requestLog = (parent: FastifyBaseLogger, ...child: Parameters<FastifyBaseLogger['child']>) =>
  new LateLogger(() => parent.child(...child)) as unknown as FastifyBaseLogger
