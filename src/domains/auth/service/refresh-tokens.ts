import { deriveKey, equalBytes, hmac } from '../../../lib/crypto.ts'
import { authErrors } from '../errors.ts'

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}$/

/**
 * Refresh tokens of the form `<session>.<generation>.<mac>`. They are derived from the session row, so no token is
 * stored and none can be stolen from the database.
 */
export class RefreshTokens {
  readonly #keys: Buffer[]

  /** The first secret issues tokens; all of them verify. */
  constructor(secrets: string[]) {
    this.#keys = secrets.map(secret => deriveKey(secret, 'refresh tokens'))
  }

  issue({ id, generation }: { id: string; generation: number }): string {
    return sealed(this.#keys[0] as Buffer, `${id}.${generation}`)
  }

  /** Throws `refresh_token_invalid` for a token that was not issued here. */
  read(token: string): { id: string; generation: number } {
    const [id = '', generation = ''] = token.split('.', 2)
    const presented = Buffer.from(token)
    const genuine = this.#keys.some(key => equalBytes(Buffer.from(sealed(key, `${id}.${generation}`)), presented))
    if (!genuine || !UUID.test(id)) throw authErrors.refresh_token_invalid()
    return { id, generation: Number(generation) }
  }
}

const sealed = (key: Buffer, body: string): string => `${body}.${hmac(key, body).toString('base64url')}`
