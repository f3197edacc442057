import { inflateSync } from 'node:zlib'
import t from 'tap'
import { testApp } from '../../../helpers/app.ts'
import { line, openOffice } from './office.ts'

const test = await testApp(t)
const { app } = test
const { organization, create, issued } = await openOffice(test)

async function pdfOf(id: string) {
  const { authorization } = organization.viewer.headers
  const { statusCode, headers, rawPayload } = await app.inject({
    url: `/api/v1/invoices/${id}/pdf`,
    headers: { authorization },
  })
  t.equal(statusCode, 200)
  return { headers, bytes: rawPayload }
}

const BEGIN = 'stream\n'

/** The characters of the document, by the tables that a viewer copies text with. */
function charactersIn(pdf: Buffer): Set<string> {
  const found = new Set<string>()
  for (let at = pdf.indexOf(BEGIN); at >= 0; at = pdf.indexOf(BEGIN, at)) {
    const start = at + BEGIN.length
    at = pdf.indexOf('endstream', start) + 'endstream\n'.length
    const table = attempt(() => inflateSync(pdf.subarray(start, at)).toString('latin1')) ?? ''
    if (!table.includes('beginbfrange')) continue
    for (const [, hex = ''] of table.matchAll(/<([0-9a-f]{4,8})>/gi))
      found.add(Buffer.from(hex, 'hex').swap16().toString('utf16le'))
  }
  return found
}

const attempt = <T>(run: () => T): T | undefined => {
  try {
    return run()
  } catch {
    return undefined
  }
}

t.test('the PDF is a download that is the same each time', async t => {
  const { id, number } = await issued()
  const { headers, bytes } = await pdfOf(id)
  t.match(headers, {
    'content-type': 'application/pdf',
    'content-disposition': new RegExp(`invoice-${number}.pdf`),
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
  })
  t.same((await pdfOf(id)).bytes, bytes)
})

t.test('letters with accents, Greek and Cyrillic are printed', async t => {
  const { id } = await create({ customerName: 'Łódź Ξένος Щука' })
  const characters = charactersIn((await pdfOf(id)).bytes)
  for (const character of 'ŁódźΞένοςЩука') t.ok(characters.has(character), character)
  t.notOk(characters.has('□'))
})

t.test('what the font cannot show is printed as □, never as something else or nothing', async t => {
  for (const customerName of ['株式会社', 'שלום', 'سلام', '🎉']) {
    const { id } = await create({ customerName })
    const characters = charactersIn((await pdfOf(id)).bytes)
    t.ok(characters.has('□'), customerName)
    for (const character of customerName) t.notOk(characters.has(character), character)
  }
})

t.test('a hundred lines take several pages', async t => {
  const { id } = await create({
    lines: Array.from({ length: 100 }, () => ({ ...line, description: 'A long line. '.repeat(30) })),
  })
  const { bytes } = await pdfOf(id)
  t.match(bytes.toString('latin1'), /\/Count \d\d/)
})
