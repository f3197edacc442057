import { hmac } from '../../../lib/crypto.ts'

export interface Message {
  /** The id of the event: the same for all attempts, so that a receiver can count one. */
  id: string
  /** The time of the attempt; receivers refuse old ones, which somebody may have recorded. */
  timestampSeconds: number
  body: string
}

/**
 * Returns the headers of a message with one signature for each secret (Standard Webhooks 1.0.0). While a secret is being
 * replaced there are two, and a receiver accepts the message when it knows either.
 */
export function signedHeaders({ id, timestampSeconds, body }: Message, secrets: Buffer[]): Record<string, string> {
  const signatures = secrets.map(secret => `v1,${hmac(secret, `${id}.${timestampSeconds}.${body}`).toString('base64')}`)
  return {
    'webhook-id': id,
    'webhook-timestamp': String(timestampSeconds),
    'webhook-signature': signatures.join(' '),
  }
}
