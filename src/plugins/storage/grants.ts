import { type Static, Type } from '@sinclair/typebox'
import { TypeCompiler } from '@sinclair/typebox/compiler'
import { deriveKey, equalBytes, hmac } from '../../lib/crypto.ts'
import { storageErrors } from '../../lib/storage-errors.ts'

const announced = { key: Type.String(), sizeBytes: Type.Integer(), sha256: Type.String(), expiresAt: Type.String() }
const Claims = Type.Union([
  Type.Object({ method: Type.Literal('GET'), name: Type.String(), type: Type.String(), ...announced }),
  Type.Object({ method: Type.Literal('PUT'), ...announced }),
])
type Claims = Static<typeof Claims>
type ClaimsOf<Method> = Extract<Claims, { method: Method }>
const isClaims = TypeCompiler.Compile(Claims)

const SIGNATURE_CHARACTERS = 43

/** Signs what the holder of a URL may do: nobody can change it, and no row has to remember it. */
export class Grants {
  readonly #keys: Buffer[]

  /** The first secret signs, all verify. */
  constructor(secrets: readonly string[]) {
    this.#keys = secrets.map(secret => deriveKey(secret, 'signed urls of the storage'))
  }

  sign(granted: Claims): string {
    const claims = Buffer.from(JSON.stringify(granted)).toString('base64url')
    return `${claims}${this.#signatureOf(claims, this.#keys[0] as Buffer)}`
  }

  /** Throws `signed_url_not_valid` unless the grant is ours, of now, and for this method and key. */
  verify<Method extends Claims['method']>(text: string, method: Method, key: string): ClaimsOf<Method> {
    const claims = text.slice(0, -SIGNATURE_CHARACTERS)
    const signature = Buffer.from(text.slice(-SIGNATURE_CHARACTERS))
    const isOurs = this.#keys.some(secret => equalBytes(Buffer.from(this.#signatureOf(claims, secret)), signature))
    const granted: unknown = isOurs ? JSON.parse(Buffer.from(claims, 'base64url').toString()) : undefined
    if (!isClaims.Check(granted) || granted.method !== method || granted.key !== key || isOver(granted))
      throw storageErrors.signed_url_not_valid()
    return granted as ClaimsOf<Method>
  }

  #signatureOf(claims: string, key: Buffer): string {
    return hmac(key, claims).toString('base64url')
  }
}

const isOver = ({ expiresAt }: Claims): boolean => Date.parse(expiresAt) <= Date.now()
