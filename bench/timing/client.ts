import { Agent, request } from 'node:http'
import type { Question } from './questions.ts'

const BYTE = 256

export interface Timed {
  milliseconds: number
  status: number
  bytes: number
}

/** The owner of an organization. */
export interface Asker {
  organizationId: string
  authorization: string
}

/** Sends requests over one kept connection, or several, each with another client address behind a trusted proxy. */
export class Stopwatch {
  readonly #agent: Agent
  readonly #base: string
  #requests = 0

  constructor(base: string, maxSockets = 1) {
    this.#base = base
    this.#agent = new Agent({ keepAlive: true, maxSockets })
  }

  /** Measures from the last byte of the request to the last of the response. */
  ask({ path, body }: Question, email: string, asker?: Asker): Promise<Timed> {
    const payload = JSON.stringify(body(email))
    const options = {
      method: 'POST',
      agent: this.#agent,
      headers: {
        'content-type': 'application/json',
        'content-length': Buffer.byteLength(payload),
        'x-forwarded-for': this.#nextAddress(),
        ...(asker ? { authorization: asker.authorization } : {}),
      },
    }
    return new Promise((resolve, reject) => {
      let begun = 0
      const sent = request(
        `${this.#base}/api/v1${path.replace(':organization', asker?.organizationId ?? '')}`,
        options,
        answer => {
          let bytes = 0
          answer.on('data', (chunk: Buffer) => {
            bytes += chunk.length
          })
          answer.on('end', () =>
            resolve({ milliseconds: performance.now() - begun, status: answer.statusCode ?? 0, bytes }),
          )
        },
      )
      sent.on('error', reject)
      begun = performance.now()
      sent.end(payload)
    })
  }

  close(): void {
    this.#agent.destroy()
  }

  #nextAddress(): string {
    const at = this.#requests++
    return `10.${Math.floor(at / BYTE / BYTE) % BYTE}.${Math.floor(at / BYTE) % BYTE}.${at % BYTE}`
  }
}
