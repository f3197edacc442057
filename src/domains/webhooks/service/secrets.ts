import { randomBytes } from 'node:crypto'
import type { Keyring } from '../../../lib/encryption.ts'

/** Standard Webhooks asks for 24 to 64 bytes. */
const SECRET_BYTES = 32
const PREFIX = 'whsec_'

/** A ciphertext can be read only with the id of its own row, so secrets cannot be moved between webhooks. */
const placeOf = (webhookId: string): string => `webhooks/${webhookId}`

/** As Standard Webhooks writes it, for the owner of the endpoint. */
export const shownSecret = (secret: Buffer): string => `${PREFIX}${secret.toString('base64')}`

export const readSecret = (shown: string): Buffer => Buffer.from(shown.slice(PREFIX.length), 'base64')

export const sealSecret = (keyring: Keyring, webhookId: string, secret: Buffer): Buffer =>
  keyring.encrypt(secret, placeOf(webhookId))

/** Returns the bytes that sign. Throws `DecryptionError`. */
export const openSecret = (keyring: Keyring, webhookId: string, sealed: Buffer): Buffer =>
  keyring.decrypt(sealed, placeOf(webhookId))

/** A new secret as it is shown, and as it is stored. */
export function newSecret(keyring: Keyring, webhookId: string): { shown: string; sealed: Buffer } {
  const secret = randomBytes(SECRET_BYTES)
  return { shown: shownSecret(secret), sealed: sealSecret(keyring, webhookId, secret) }
}
