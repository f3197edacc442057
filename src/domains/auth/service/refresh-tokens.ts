import { deriveKey, equalBytes, hmac } from '../../../lib/crypto.ts'
import { authErrors } from '../errors.ts'

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}$/

/** `<session>.<generation>.<mac>`: derived, so one row per session is all there is to store and to steal. */
export class RefreshTokens {
  readonly #key: Buffer

  constructor(secret: string) {
    this.#key = deriveKey(secret, 'refresh tokens')
  }

  issue({ id, generation }: { id: string; generation: number }): string {
    const body = `${id}.${generation}`
    return `${body}.${hmac(this.#key, body).toString('base64url')}`
  }

  /** Throws `refresh_token_invalid` on anything that was not issued here. */
  read(token: string): { id: string; generation: number } {
    const [id = '', generation = '', mac = ''] = token.split('.')
    const genuine = equalBytes(hmac(this.#key, `${id}.${generation}`), Buffer.from(mac, 'base64url'))
    if (!genuine || !UUID.test(id)) throw authErrors.refresh_token_invalid()
    return { id, generation: Number(generation) }
  }
}
