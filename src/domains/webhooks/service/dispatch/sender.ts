import type { FastifyInstance } from 'fastify'
import type { Keyring } from '../../../../lib/encryption.ts'
import type { DueDelivery } from '../../queries/dispatch.ts'
import { openSecret } from '../secrets.ts'
import { signedHeaders } from '../signature.ts'
import { eventGone, type Outcome, outcomeOf } from './outcome.ts'

/** How much of an answer is read. */
const MAX_ANSWER_BYTES = 65_536
const SPAN_CHARACTERS = 16

export interface SenderSettings {
  keyring: Keyring
  /** The time limit of an attempt as a whole. */
  timeoutMs: number
  /** The seconds before each attempt. */
  schedule: readonly number[]
}

/** The body that is sent and signed; `data` is JSON already. */
const bodyOf = ({ type, timestamp, data }: DueDelivery): string =>
  `{"type":${JSON.stringify(type)},"timestamp":${JSON.stringify(timestamp)},"data":${data}}`

/** Makes one attempt of a delivery. */
export class Sender {
  readonly #app: FastifyInstance
  readonly #settings: SenderSettings

  constructor(app: FastifyInstance, settings: SenderSettings) {
    this.#app = app
    this.#settings = settings
  }

  /** Never throws: whatever happens is the outcome of the attempt. */
  async send(delivery: DueDelivery): Promise<Outcome> {
    const at = new Date()
    if (delivery.data === null) return eventGone(at)
    const started = performance.now()
    const result = await this.#post(delivery, at).catch((error: unknown) => this.#noted(error))
    const { schedule } = this.#settings
    const durationMs = performance.now() - started
    return outcomeOf({ result, number: delivery.attemptCount + 1, at, durationMs, schedule })
  }

  async #post(delivery: DueDelivery, at: Date) {
    const body = bodyOf(delivery)
    const message = { id: delivery.eventId, timestampSeconds: Math.floor(at.getTime() / 1000), body }
    return this.#app.outbound.request({
      target: 'webhook',
      url: delivery.url,
      method: 'POST',
      headers: { 'content-type': 'application/json', ...signedHeaders(message, this.#secretsOf(delivery)) },
      body,
      timeoutMs: this.#settings.timeoutMs,
      maxBytes: MAX_ANSWER_BYTES,
      traceparent: traceOf(delivery),
    })
  }

  #secretsOf({ webhookId, secret, previousSecret }: DueDelivery): Buffer[] {
    const { keyring } = this.#settings
    return [secret, previousSecret].flatMap(encrypted => (encrypted ? [openSecret(keyring, webhookId, encrypted)] : []))
  }

  /** Logs what is no failure of the receiver, without its values. */
  #noted(error: unknown): Error {
    if (!(error instanceof Error && 'kind' in error)) {
      this.#app.log.error({ reason: (error as Error).message }, 'a webhook could not be sent')
    }
    return error as Error
  }
}

/**
 * The trace of the request that caused the event. Where it had none, the trace is named by the id of the event, so all
 * attempts of all endpoints are one trace (W3C Trace Context §3.2.2).
 */
function traceOf({ eventId, traceparent }: DueDelivery): string {
  const trace = eventId.replaceAll('-', '')
  return traceparent ?? `00-${trace}-${trace.slice(-SPAN_CHARACTERS)}-00`
}
