import { createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto'
import { sha256 } from './crypto.ts'

/** The public half of a key, as it is published (RFC 8037 §2, RFC 7517 §4). */
export interface PublicJwk {
  kty: 'OKP'
  crv: 'Ed25519'
  x: string
  kid: string
  alg: 'EdDSA'
  use: 'sig'
}

/** What signs and verifies access tokens, named by the `kid` in their header. */
export interface SigningKey {
  kid: string
  algorithm: 'HS256' | 'EdDSA'
  /** One secret for both, or a pair in PEM. */
  secret: string | { private: string; public: string }
  /** Null where there is nothing to publish. */
  jwk: PublicJwk | null
}

const KEY_ID_CHARACTERS = 8

export const fromSecret = (secret: string): SigningKey => ({
  kid: sha256(secret).toString('base64url').slice(0, KEY_ID_CHARACTERS),
  algorithm: 'HS256',
  secret,
  jwk: null,
})

/** Of an Ed25519 key as base64 of its PKCS#8 DER; throws on anything else. */
export function fromPrivateKey(base64: string): SigningKey {
  const privateKey = createPrivateKey({ key: Buffer.from(base64, 'base64'), format: 'der', type: 'pkcs8' })
  if (privateKey.asymmetricKeyType !== 'ed25519') throw new TypeError('not an Ed25519 key')
  const publicKey = createPublicKey(privateKey)
  const { x = '' } = publicKey.export({ format: 'jwk' })
  const kid = thumbprint(x)
  return {
    kid,
    algorithm: 'EdDSA',
    secret: { private: pem(privateKey, 'pkcs8'), public: pem(publicKey, 'spki') },
    jwk: { kty: 'OKP', crv: 'Ed25519', x, kid, alg: 'EdDSA', use: 'sig' },
  }
}

/** RFC 7638 §3: the members that make the key, in order and without spaces. */
const thumbprint = (x: string): string =>
  sha256(JSON.stringify({ crv: 'Ed25519', kty: 'OKP', x })).toString('base64url')

const pem = (key: KeyObject, type: 'pkcs8' | 'spki'): string => key.export({ type, format: 'pem' } as never) as string
