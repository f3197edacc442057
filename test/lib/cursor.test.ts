import t from 'tap'
import { decodeCursor, encodeCursor, fingerprint } from '../../src/lib/cursor.ts'

const any = () => true

t.test('a cursor gives back its position to what it was issued for, and to nothing else', async t => {
  const boundTo = fingerprint('tasks', { status: 'open' })
  const cursor = encodeCursor(boundTo, ['2030-01-01T00:00:00.000Z', 'id', 7])
  t.match(cursor, /^[\w-]+$/, 'safe in a URL')
  t.same(decodeCursor(boundTo, cursor, any), ['2030-01-01T00:00:00.000Z', 'id', 7])
  const other = fingerprint('tasks', { status: 'done' })
  t.throws(() => decodeCursor(other, cursor, any), { code: 'cursor_mismatch', status: 400 })
})

t.test('what is no cursor is refused as invalid, whatever it decodes to', async t => {
  const boundTo = fingerprint('x')
  const encode = (value: unknown) => Buffer.from(JSON.stringify(value) ?? '').toString('base64url')
  for (const value of [undefined, null, 1, 'x', {}, [], [1], [null], [[boundTo]]])
    t.throws(() => decodeCursor(boundTo, encode(value), any), { code: 'cursor_invalid', status: 400 })
  t.throws(() => decodeCursor(boundTo, encode([boundTo, 1]), () => false), { code: 'cursor_invalid' })
  for (const text of ['', '!', '€', 'AAAA', 'a'.repeat(1024)])
    t.throws(() => decodeCursor(boundTo, text, any), { code: 'cursor_invalid' })
})
