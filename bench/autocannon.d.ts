declare module 'autocannon' {
  import type { EventEmitter } from 'node:events'

  function autocannon(
    options: autocannon.Options,
    done: (error: Error | null, result: autocannon.Result) => void,
  ): autocannon.Instance

  namespace autocannon {
    interface Client extends EventEmitter {
      setRequests(requests: object[]): void
    }
    interface Options {
      url: string
      connections: number
      /** In seconds. */
      duration: number
      /** In seconds. */
      timeout?: number
      /** Requests a second, of all connections. */
      overallRate?: number
      /** In milliseconds. */
      sampleInt?: number
      /** Whether to replace `[<id>]` in each request by a new id. */
      idReplacement?: boolean
      setupClient?: (client: Client) => void
    }
    interface Instance extends EventEmitter {
      stop(): void
    }
    interface Result {
      errors: number
      timeouts: number
      non2xx: number
    }
  }

  export = autocannon
}
