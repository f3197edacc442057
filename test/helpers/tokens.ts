import { createHmac, type KeyObject, sign } from 'node:crypto'

/** `any`, because forged parts fit no type. */
type Json = ReturnType<typeof JSON.parse>

const part = (value: Json): string =>
  Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url')

/** Builds a JWS by hand that no library would sign; without a signature when `key` is null. */
export function forge(header: Json, claims: Json, key: string | Buffer | KeyObject | null): string {
  const input = `${part(header)}.${part(claims)}`
  if (key === null) return `${input}.`
  const hash = `sha${/\d{3}$/.exec(header.alg) ?? '256'}`
  const signature =
    typeof key === 'string' || Buffer.isBuffer(key)
      ? createHmac(hash, key).update(input).digest()
      : sign(key.asymmetricKeyType === 'ed25519' ? null : hash, Buffer.from(input), key)
  return `${input}.${signature.toString('base64url')}`
}

export const decode = (token: string): { header: Json; claims: Json } => {
  const [header, claims] = token.split('.').map(text => Buffer.from(text, 'base64url').toString())
  return { header: JSON.parse(header as string), claims: JSON.parse(claims as string) }
}
