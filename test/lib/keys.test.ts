import { crc32 } from 'node:zlib'
import t from 'tap'
import { isApiKey, newApiKey } from '../../src/lib/keys.ts'

t.test('a new key has the form of the contract and passes its own check', async t => {
  const keys = Array.from({ length: 2_000 }, (_, at) => newApiKey(at % 2 ? 'live' : 'test'))
  for (const key of keys) if (!isApiKey(key) || !/^ltl_(live|test)_[0-9A-Za-z]{36}$/.test(key)) t.fail(key)
  t.equal(new Set(keys).size, keys.length)
})

t.test('the last six characters are the CRC32 of all before, in base62', async t => {
  const digits = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'
  const key = newApiKey('live')
  const value = [...key.slice(-6)].reduce((sum, digit) => sum * 62 + digits.indexOf(digit), 0)
  t.equal(value, crc32(key.slice(0, -6)))
})

t.test('any single character that is changed is noticed', async t => {
  const key = newApiKey('live')
  for (let at = 0; at < key.length; at++) {
    const other = key[at] === 'x' ? 'y' : 'x'
    t.notOk(isApiKey(key.slice(0, at) + other + key.slice(at + 1)), `at ${at}`)
  }
  for (const text of ['', 'ltl_', key.slice(1), `${key}x`, ` ${key}`, `${key}\n`]) t.notOk(isApiKey(text))
})
