import t from 'tap'
import { attachment, rangeOf } from '../../src/lib/download.ts'

t.test('a name becomes a header of plain ASCII that says it in both forms', async t => {
  t.equal(attachment('a b.txt'), `attachment; filename="a b.txt"; filename*=UTF-8''a%20b.txt`)
  t.equal(attachment('€ rates.txt'), `attachment; filename="_ rates.txt"; filename*=UTF-8''%E2%82%AC%20rates.txt`)
  t.equal(attachment('a"b%41'), `attachment; filename="a_b_41"; filename*=UTF-8''a%22b%2541`)
})

t.test('no name breaks out of the header, out of a folder, or looks like another', async t => {
  const names = [
    'a"\r\nX-Evil: 1',
    '../../etc/passwd',
    '..\\..\\x',
    'a\0b',
    '\u202egpj.exe',
    'a;b=c',
    '😀'.repeat(255),
    "a'b",
  ]
  for (const name of names) {
    const header = attachment(name)
    t.match(header, /^attachment; filename="[^"\\/\r\n]*"; filename\*=UTF-8''[A-Za-z0-9!#$&+.^_`|~%-]*$/, name)
    t.match(header, /^[\x20-\x7e]*$/, name)
    t.notMatch(decodeURIComponent(header.split("''")[1] ?? ''), /[/\\\r\n\0\u202e]/, name)
  }
})

t.test('a range is one of bytes, cut to the file, and null where the file has none of it', async t => {
  const cases: [string | undefined, number, ReturnType<typeof rangeOf>][] = [
    [undefined, 10, undefined],
    ['bytes=0-0', 10, { start: 0, end: 0 }],
    ['bytes=2-5', 10, { start: 2, end: 5 }],
    ['bytes=5-', 10, { start: 5, end: 9 }],
    ['bytes=5-100', 10, { start: 5, end: 9 }],
    ['bytes=-3', 10, { start: 7, end: 9 }],
    ['bytes=-30', 10, { start: 0, end: 9 }],
    ['bytes=-0', 10, null],
    ['bytes=10-', 10, null],
    ['bytes=0-', 0, null],
    ['bytes=5-2', 10, undefined],
    ['bytes=0-1,3-4', 10, undefined],
    ['lines=0-1', 10, undefined],
    ['bytes=a-b', 10, undefined],
    ['bytes=-', 10, undefined],
    [`bytes=${'9'.repeat(400)}-`, 10, undefined],
  ]
  for (const [header, size, expected] of cases) t.same(rangeOf(header, size), expected, `${header} of ${size}`)
})
