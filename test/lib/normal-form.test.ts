import t from 'tap'
import { formOf, localeForm, timeZoneForm } from '../../src/lib/normal-form.ts'
import { Id, Password, Text, Timestamp, VisibleText } from '../../src/lib/schema.ts'
import type { NormalForm } from '../../src/lib/text-form.ts'

const REFUSED = undefined
const form = (schema: Parameters<typeof formOf>[0]) => formOf(schema) as NormalForm
const check = (name: string, { of }: NormalForm, cases: [string, string | undefined][]) =>
  t.test(name, async t => {
    for (const [text, expected] of cases) t.equal(of(text), expected, JSON.stringify(text.slice(0, 40)))
  })

const ID = '0190a000-1234-7abc-8def-0123456789ab'
check('an id is plain, in any case', form(Id), [
  [ID, ID],
  [ID.toUpperCase(), ID],
  [`urn:uuid:${ID}`, REFUSED],
  [`{${ID}}`, REFUSED],
  [ID.replaceAll('-', ''), REFUSED],
  [ID.replace('1234-', '12-34'), REFUSED],
  [ID.replace('9', 'g'), REFUSED],
  ['\u212a'.repeat(36), REFUSED],
])

check('a time is UTC, of any offset', form(Timestamp), [
  ['2026-01-31T12:00:00.000Z', '2026-01-31T12:00:00.000Z'],
  ['2026-01-31t12:00:00.000z', '2026-01-31T12:00:00.000Z'],
  ['2026-01-31T12:00:00.9999Z', '2026-01-31T12:00:00.999Z'],
  ['2026-01-31T12:00:00+16:00', '2026-01-30T20:00:00.000Z'],
  ['2026-01-31T12:00:00-23:59', '2026-02-01T11:59:00.000Z'],
  ['0001-01-01T00:00:00-00:00', '0001-01-01T00:00:00.000Z'],
  ['2028-02-29T00:00:00.000Z', '2028-02-29T00:00:00.000Z'],
  ['2026-02-29T00:00:00.000Z', REFUSED],
  ['2026-04-31T00:00:00Z', REFUSED],
  ['2026-13-01T00:00:00.000Z', REFUSED],
  ['2026-00-10T00:00:00.000Z', REFUSED],
  ['0000-12-31T23:59:59.999Z', REFUSED],
  ['0001-01-01T00:00:00.000+00:01', REFUSED],
  ['9999-12-31T23:59:59-00:01', REFUSED],
  ['2026-12-31T23:59:60.000Z', REFUSED],
  ['2026-01-31T24:00:00.000Z', REFUSED],
  ['2026-01-31 12:00:00Z', REFUSED],
  ['2026-01-31T12:00:00 02:00', REFUSED],
])

check('text is composed and may be blank', form(Text(0, 10)), [
  ['', ''],
  [' \n', ' \n'],
  ['e\u0301', '\u00e9'],
  ['\u{1f468}\u200d\u{1f469}', '\u{1f468}\u200d\u{1f469}'],
  [`e${'\u0301\u0323'.repeat(15)}`, `\u1eb9${'\u0323'.repeat(14)}${'\u0301'.repeat(15)}`],
  [`e${'\u0301\u0323'.repeat(15)}\u0301`, REFUSED],
  ['a\u0000', REFUSED],
  ['\ud83d', REFUSED],
])

check('a name has a character that can be seen', form(VisibleText(10, { description: '' })), [
  ['\u2800a', '\u2800a'],
  ['漢', '漢'],
  ['\u{1f600}', '\u{1f600}'],
  ['', ''],
  ...[
    ' \t',
    '\u00a0\u3000',
    '\u200b\u2060\ufeff',
    '\u3164\u115f\u1160\uffa0',
    '\u2800',
    '\u{e0041}',
    '\u00ad\ufe0f',
  ].map((blank): [string, undefined] => [blank, REFUSED]),
])

check('a password is taken as it is', form(Password), [
  ['e\u0301 \u2800', 'e\u0301 \u2800'],
  ['a\u0000', REFUSED],
  ['\udc00', REFUSED],
])

check('a time zone is of the IANA database', timeZoneForm, [
  ['Asia/Kolkata', 'Asia/Kolkata'],
  ['UTC', 'UTC'],
  ['Etc/GMT+5', 'Etc/GMT+5'],
  ['Mars/Olympus', REFUSED],
  ['+01:00', REFUSED],
  ['', REFUSED],
])

check('a locale is a language tag', localeForm, [
  ['en-GB', 'en-GB'],
  ['de-DE-u-co-phonebk', 'de-DE-u-co-phonebk'],
  ['zh-Hant-TW', 'zh-Hant-TW'],
  ['en_GB', REFUSED],
  ['english-', REFUSED],
  ['', REFUSED],
])

t.test('what is refused is told why', async t => {
  const { why } = form(VisibleText(10, { description: '' }))
  t.equal(why('\u200b'), 'must have a character that can be seen')
  t.equal(why('a\u0000'), 'must not hold the character NUL')
  t.equal(why('\ud83d'), 'must not hold half of a surrogate pair')
  t.match(why('\u0301'.repeat(31)), /30 combining marks/)
  t.match(form(Timestamp).why('now'), /RFC 3339/)
})
