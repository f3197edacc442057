import { createCipheriv, createDecipheriv, hash, randomBytes } from 'node:crypto'

const KEY_BYTES = 32
/** The layout of a ciphertext: version, key id, nonce, tag, data. */
const VERSION = 1
const KEY_ID_BYTES = 8
/** The length of a nonce for GCM (NIST SP 800-38D §5.2.1.1). */
const NONCE_BYTES = 12
const TAG_BYTES = 16
const NONCE_AT = 1 + KEY_ID_BYTES
const TAG_AT = NONCE_AT + NONCE_BYTES
const DATA_AT = TAG_AT + TAG_BYTES

const ALGORITHM = 'aes-256-gcm'

interface Key {
  id: Buffer
  secret: Buffer
}

/** The ciphertext is damaged, belongs to another place, or was written with a key that is not in the list. */
export class DecryptionError extends Error {}

/**
 * Encrypts secrets that the database stores and that are needed again in plain. The first key encrypts, all decrypt, so
 * a new key can be put first. Each ciphertext is bound to its place, such as the id of its row, and cannot be read at
 * another one.
 */
export class Keyring {
  readonly #keys: Key[]

  /** Takes keys of 32 bytes in base64. Throws for anything else, and for none. */
  constructor(keys: readonly string[]) {
    this.#keys = keys.map(keyOf)
    if (this.#keys.length === 0) throw new TypeError('no key')
  }

  /** The first bytes of every ciphertext that the first key wrote. */
  get prefix(): Buffer {
    return Buffer.concat([Buffer.from([VERSION]), this.#first.id])
  }

  encrypt(data: Buffer, place: string): Buffer {
    const nonce = randomBytes(NONCE_BYTES)
    const cipher = createCipheriv(ALGORITHM, this.#first.secret, nonce, { authTagLength: TAG_BYTES })
    cipher.setAAD(Buffer.from(place))
    const encrypted = Buffer.concat([cipher.update(data), cipher.final()])
    return Buffer.concat([this.prefix, nonce, cipher.getAuthTag(), encrypted])
  }

  /** Throws `DecryptionError`. */
  decrypt(ciphertext: Buffer, place: string): Buffer {
    const id = ciphertext.subarray(1, NONCE_AT)
    const key = this.#keys.find(known => known.id.equals(id))
    if (ciphertext[0] !== VERSION || ciphertext.length < DATA_AT) throw new DecryptionError('not a ciphertext')
    if (!key) throw new DecryptionError('written with a key that is not configured')
    const decipher = createDecipheriv(ALGORITHM, key.secret, ciphertext.subarray(NONCE_AT, TAG_AT), {
      authTagLength: TAG_BYTES,
    })
    decipher.setAAD(Buffer.from(place)).setAuthTag(ciphertext.subarray(TAG_AT, DATA_AT))
    try {
      return Buffer.concat([decipher.update(ciphertext.subarray(DATA_AT)), decipher.final()])
    } catch {
      throw new DecryptionError('damaged, or of another place')
    }
  }

  get #first(): Key {
    return this.#keys[0] as Key
  }
}

function keyOf(base64: string): Key {
  const secret = Buffer.from(base64, 'base64')
  if (secret.length !== KEY_BYTES || secret.toString('base64') !== base64) throw new TypeError('not a key')
  return { id: hash('sha256', secret, 'buffer').subarray(0, KEY_ID_BYTES), secret }
}
