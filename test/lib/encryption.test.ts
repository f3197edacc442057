import { randomBytes } from 'node:crypto'
import t from 'tap'
import { Keyring } from '../../src/lib/encryption.ts'

const [old, fresh] = [1, 2].map(() => randomBytes(32).toString('base64')) as [string, string]
const secret = randomBytes(32)
const REFUSED = /^(not a ciphertext|written with a key|damaged)/

t.test('what was encrypted comes back, and no two ciphertexts are alike', async t => {
  const keyring = new Keyring([old])
  const [first, second] = [1, 2].map(() => keyring.encrypt(secret, 'webhooks/1')) as [Buffer, Buffer]
  t.same(
    [first, second].map(sealed => keyring.decrypt(sealed, 'webhooks/1')),
    [secret, secret],
  )
  t.notSame(first, second)
  t.notOk(first.includes(secret))
  t.same(keyring.decrypt(keyring.encrypt(Buffer.alloc(0), ''), ''), Buffer.alloc(0), 'also nothing at all')
})

t.test('a ciphertext cannot be read at another place, nor with any bit changed, nor cut', async t => {
  const keyring = new Keyring([old])
  const sealed = keyring.encrypt(secret, 'webhooks/1')
  t.throws(() => keyring.decrypt(sealed, 'webhooks/2'), REFUSED)
  for (let bit = 0; bit < sealed.length * 8; bit++) {
    const changed = Buffer.from(sealed)
    changed.writeUInt8(changed.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3)
    t.throws(() => keyring.decrypt(changed, 'webhooks/1'), REFUSED, `bit ${bit}`)
  }
  for (let length = 0; length < sealed.length; length++)
    t.throws(() => keyring.decrypt(sealed.subarray(0, length), 'webhooks/1'), REFUSED, `${length} bytes`)
})

t.test('the first key encrypts and every key decrypts; without its key a ciphertext is lost', async t => {
  const sealed = new Keyring([old]).encrypt(secret, 'x')
  const both = new Keyring([fresh, old])
  t.same(both.decrypt(sealed, 'x'), secret)
  t.throws(() => new Keyring([fresh]).decrypt(sealed, 'x'), REFUSED)
  const anew = both.encrypt(both.decrypt(sealed, 'x'), 'x')
  t.same(new Keyring([fresh]).decrypt(anew, 'x'), secret)
  t.same(anew.subarray(0, both.prefix.length), both.prefix, 'the prefix tells which key wrote it')
  t.notSame(sealed.subarray(0, both.prefix.length), both.prefix)
})

t.test('only 32 bytes in base64 are a key', async t => {
  for (const bad of [
    [],
    [''],
    ['a'],
    [randomBytes(31).toString('base64')],
    [` ${old}`],
    [randomBytes(32).toString('hex')],
  ])
    t.throws(() => new Keyring(bad), /no key|not a key/)
})
