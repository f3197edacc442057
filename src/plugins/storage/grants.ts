import { type Static, Type } from '@sinclair/typebox'
import { TypeCompiler } from '@sinclair/typebox/compiler'
import { deriveKey, equalBytes, hmac } from '../../lib/crypto.ts'
import { storageErrors } from './errors.ts'

const Download = Type.Object({
  method: Type.Literal('GET'),
  key: Type.String(),
  name: Type.String(),
  type: Type.String(),
  sizeBytes: Type.Integer(),
  sha256: Type.String(),
  expiresAt: Type.String(),
})
export type Grant = Static<typeof Download>
const isGrant = TypeCompiler.Compile(Download)

const SIGNATURE_CHARACTERS = 43

/** Signs what the holder of a URL may do: nobody can change it, and no row has to remember it. */
export class Grants {
  readonly #keys: Buffer[]

  /** The first secret signs, all verify. */
  constructor(secrets: readonly string[]) {
    this.#keys = secrets.map(secret => deriveKey(secret, 'signed urls of the storage'))
  }

  sign(grant: Grant): string {
    const claims = Buffer.from(JSON.stringify(grant)).toString('base64url')
    return `${claims}${this.#signatureOf(claims, this.#keys[0] as Buffer)}`
  }

  /** Throws `signed_url_not_valid` unless the grant is ours, of now, and for this method and key. */
  verify(text: string, method: Grant['method'], key: string): Grant {
    const claims = text.slice(0, -SIGNATURE_CHARACTERS)
    const signature = Buffer.from(text.slice(-SIGNATURE_CHARACTERS))
    const isOurs = this.#keys.some(secret => equalBytes(Buffer.from(this.#signatureOf(claims, secret)), signature))
    const grant: unknown = isOurs ? JSON.parse(Buffer.from(claims, 'base64url').toString()) : undefined
    if (!isGrant.Check(grant) || grant.method !== method || grant.key !== key || isOver(grant))
      throw storageErrors.signed_url_not_valid()
    return grant
  }

  #signatureOf(claims: string, key: Buffer): string {
    return hmac(key, claims).toString('base64url')
  }
}

const isOver = ({ expiresAt }: Grant): boolean => Date.parse(expiresAt) <= Date.now()
