import { createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto'
import { sha256 } from './crypto.ts'

/** The public half of a key, in the form in which it is published (RFC 8037 §2, RFC 7517 §4). */
export interface PublicJwk {
  kty: 'OKP'
  crv: 'Ed25519'
  x: string
  kid: string
  alg: 'EdDSA'
  use: 'sig'
}

/** A key that signs and verifies access tokens; their header names it by `kid`. */
export interface SigningKey {
  kid: string
  algorithm: 'HS256' | 'EdDSA'
  /** One shared secret, or a key pair in PEM. */
  secret: string | { private: string; public: string }
  /** Null for a shared secret: there is nothing to publish. */
  jwk: PublicJwk | null
}

const KEY_ID_CHARACTERS = 8

export const fromSecret = (secret: string): SigningKey => ({
  kid: sha256(secret).toString('base64url').slice(0, KEY_ID_CHARACTERS),
  algorithm: 'HS256',
  secret,
  jwk: null,
})

/** Returns the signing key for an Ed25519 private key, given as base64 of its PKCS#8 DER. Throws for anything else. */
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

/** The key id by RFC 7638 §3: a hash of the required members, in order and without spaces. */
const thumbprint = (x: string): string =>
  sha256(JSON.stringify({ crv: 'Ed25519', kty: 'OKP', x })).toString('base64url')

const pem = (key: KeyObject, type: 'pkcs8' | 'spki'): string => key.export({ type, format: 'pem' } as never) as string
