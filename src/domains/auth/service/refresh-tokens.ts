import { deriveKey, equalBytes, hmac } from '../../../lib/crypto.ts'
import { authErrors } from '../errors.ts'

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}$/

/** `<session>.<generation>.<mac>`: derived, so one row per session is all there is to store and to steal. */
export class RefreshTokens {
  readonly #keys: Buffer[]

  /** The first of `secrets` issues, all verify. */
  constructor(secrets: string[]) {
    this.#keys = secrets.map(secret => deriveKey(secret, 'refresh tokens'))
  }

  issue({ id, generation }: { id: string; generation: number }): string {
    return sealed(this.#keys[0] as Buffer, `${id}.${generation}`)
  }

  /** Throws `refresh_token_invalid` on anything that was not issued here. */
  read(token: string): { id: string; generation: number } {
    const [id = '', generation = ''] = token.split('.', 2)
    const presented = Buffer.from(token)
    const genuine = this.#keys.some(key => equalBytes(Buffer.from(sealed(key, `${id}.${generation}`)), presented))
    if (!genuine || !UUID.test(id)) throw authErrors.refresh_token_invalid()
    return { id, generation: Number(generation) }
  }
}

const sealed = (key: Buffer, body: string): string => `${body}.${hmac(key, body).toString('base64url')}`
