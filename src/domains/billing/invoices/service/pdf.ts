import { fileURLToPath } from 'node:url'
import type { Font } from 'fontkit'
import { decimal } from '../../../../lib/money.ts'
import type { Invoice } from '../schemas.ts'

const fontFile = (name: string) => fileURLToPath(import.meta.resolve(`dejavu-fonts-ttf/ttf/${name}.ttf`))
const REGULAR = fontFile('DejaVuSans')
const BOLD = fontFile('DejaVuSans-Bold')

/** A4 in points, with a margin of 2 cm. */
const MARGIN = 57
const WIDTH = 595 - 2 * MARGIN
/** The columns of the lines: where each begins, and how wide it is. */
const COLUMNS = {
  description: [MARGIN, 190],
  quantity: [MARGIN + 195, 50],
  unit: [MARGIN + 250, 80],
  tax: [MARGIN + 335, 50],
  amount: [MARGIN + 390, WIDTH - 390],
} as const
const BOTTOM = 842 - MARGIN - 60

/** The sign that is printed for a character that the font does not have. */
const MISSING = '□'
/** Scripts that are written from right to left. The font has their letters, but nothing here orders or joins them. */
const RIGHT_TO_LEFT = /[\p{Script=Arabic}\p{Script=Hebrew}\p{Script=Syriac}\p{Script=Thaana}\p{Script=Nko}]/u
const INVISIBLE = /[\p{Cc}\p{Cf}]/gu

const percent = (basisPoints: number): string => `${decimal({ amountCents: basisPoints, currency: 'EUR' })} %`
const day = (time: string | null): string => time?.slice(0, 10) ?? '–'

let font: Promise<Font> | undefined
/** Opens the font once; the libraries are loaded with the first invoice. */
const openFont = () => (font ??= import('fontkit').then(({ openSync }) => openSync(REGULAR) as Font))

/**
 * Prints an invoice as PDF, A4; the same invoice gives the same bytes. Characters that the font does not have, such as
 * those of Chinese, Japanese and Korean, and scripts from right to left are printed as □, and the page says so. `seller`
 * is the name of the organization.
 */
export async function pdfOf(invoice: Invoice, seller: string): Promise<Buffer> {
  const [{ default: PDFDocument }, font] = await Promise.all([import('pdfkit'), openFont()])
  const page = new Page(new PDFDocument({ size: 'A4', margin: MARGIN, info: infoOf(invoice, seller) }), font)
  page.print(invoice, seller)
  return page.end()
}

/** The time of the last change, not of printing: it is part of the bytes. */
const infoOf = (invoice: Invoice, seller: string) => ({
  Title: titleOf(invoice),
  Author: seller,
  CreationDate: new Date(invoice.updatedAt),
})

const titleOf = ({ number }: Invoice): string => (number === null ? 'Draft of an invoice' : `Invoice ${number}`)

class Page {
  readonly #document: PDFKit.PDFDocument
  readonly #font: Font
  #lacks = false

  constructor(document: PDFKit.PDFDocument, font: Font) {
    this.#document = document
    this.#font = font
  }

  print(invoice: Invoice, seller: string): void {
    this.#head(invoice, seller)
    this.#lines(invoice)
    this.#totals(invoice)
    if (!this.#lacks) return
    const note = `${MISSING} stands for a character that this document cannot show; the API has the whole text.`
    this.#document.moveDown(2).font(REGULAR).fontSize(8).text(note, MARGIN, undefined, { width: WIDTH })
  }

  end(): Promise<Buffer> {
    const chunks: Buffer[] = []
    return new Promise((resolve, reject) => {
      this.#document
        .on('data', chunk => chunks.push(chunk))
        .on('end', () => resolve(Buffer.concat(chunks)))
        .on('error', reject)
        .end()
    })
  }

  #head(invoice: Invoice, seller: string): void {
    const { customerName, customerEmail, customerAddress, status } = invoice
    const document = this.#document
    document.font(BOLD).fontSize(18).text(titleOf(invoice), MARGIN, MARGIN)
    document.font(REGULAR).fontSize(10).moveDown()
    document.text(`From: ${this.#shown(seller)}`)
    document.text(`To: ${this.#shown(customerName)}`)
    for (const row of customerAddress?.split('\n') ?? []) document.text(this.#shown(row))
    document.text(this.#shown(customerEmail)).moveDown()
    document.text(`Issued: ${day(invoice.issuedAt)}`)
    document.text(`Due: ${day(invoice.dueAt)}`)
    document.text(`Status: ${status}`).moveDown()
  }

  #lines({ lines, currency }: Invoice): void {
    this.#row({ description: 'Description', quantity: 'Quantity', unit: 'Price', tax: 'Tax', amount: 'Amount' }, BOLD)
    for (const { description, quantity, unitAmountCents, discountBasisPoints, taxBasisPoints, amountCents } of lines) {
      const discount = discountBasisPoints > 0 ? ` (less ${percent(discountBasisPoints)})` : ''
      this.#row({
        description: this.#shown(description) + discount,
        quantity: String(quantity),
        unit: decimal({ amountCents: unitAmountCents, currency }),
        tax: percent(taxBasisPoints),
        amount: decimal({ amountCents, currency }),
      })
    }
  }

  #row(cells: Record<keyof typeof COLUMNS, string>, font = REGULAR): void {
    const document = this.#document.font(font).fontSize(9)
    const height = document.heightOfString(cells.description, { width: COLUMNS.description[1] })
    if (document.y + height > BOTTOM) document.addPage()
    const { y } = document
    for (const [name, [x, width]] of Object.entries(COLUMNS))
      document.text(cells[name as keyof typeof COLUMNS], x, y, {
        width,
        align: name === 'description' ? 'left' : 'right',
      })
    document.y = y + height + 4
  }

  #totals(invoice: Invoice): void {
    const { currency, subtotalCents, taxes, totalCents, creditedCents } = invoice
    this.#document.moveDown()
    this.#total('Subtotal', subtotalCents, currency)
    for (const { taxBasisPoints, baseCents, taxCents } of taxes)
      this.#total(
        `Tax ${percent(taxBasisPoints)} of ${decimal({ amountCents: baseCents, currency })}`,
        taxCents,
        currency,
      )
    this.#total('Total', totalCents, currency, BOLD)
    if (creditedCents > 0) this.#total('Credited', -creditedCents, currency)
  }

  #total(name: string, amountCents: number, currency: string, font = REGULAR): void {
    const document = this.#document.font(font).fontSize(10)
    if (document.y > BOTTOM) document.addPage()
    const { y } = document
    document.text(name, MARGIN, y, { width: WIDTH - 150, align: 'right' })
    const amount = `${decimal({ amountCents, currency })} ${currency}`
    document.text(amount, MARGIN + WIDTH - 145, y, { width: 145, align: 'right' })
  }

  /** Returns the text with □ in place of what cannot be shown. */
  #shown(text: string): string {
    return Array.from(text.replace(INVISIBLE, ''), character => {
      const shows =
        !RIGHT_TO_LEFT.test(character) && this.#font.hasGlyphForCodePoint(character.codePointAt(0) as number)
      this.#lacks ||= !shows
      return shows ? character : MISSING
    }).join('')
  }
}
