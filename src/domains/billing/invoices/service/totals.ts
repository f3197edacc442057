import { shareOf, sumCents, timesCents } from '../../../../lib/money.ts'
import type { InvoiceLine, InvoiceTax, NewInvoiceLine } from '../schemas.ts'

export interface Totals {
  lines: InvoiceLine[]
  taxes: InvoiceTax[]
  subtotalCents: number
  taxCents: number
  totalCents: number
}

/**
 * Computes what an invoice adds up to. The discount is rounded for each line; the tax once for each rate, on the sum of
 * the lines with that rate, as EN 16931 has it (BR-CO-17). All rounding is half away from zero. Throws
 * `amount_out_of_range`.
 */
export function totalsOf(given: readonly NewInvoiceLine[]): Totals {
  const lines = given.map(lineOf)
  const taxes = taxesOf(lines)
  const subtotalCents = sumCents(lines.map(({ amountCents }) => amountCents))
  const taxCents = sumCents(taxes.map(tax => tax.taxCents))
  return { lines, taxes, subtotalCents, taxCents, totalCents: sumCents([subtotalCents, taxCents]) }
}

function lineOf({
  description,
  quantity,
  unitAmountCents,
  discountBasisPoints = 0,
  taxBasisPoints = 0,
}: NewInvoiceLine): InvoiceLine {
  const wholeCents = timesCents(unitAmountCents, quantity)
  const amountCents = sumCents([wholeCents, -shareOf(wholeCents, discountBasisPoints)])
  return { description, quantity, unitAmountCents, discountBasisPoints, taxBasisPoints, amountCents }
}

const taxesOf = (lines: InvoiceLine[]): InvoiceTax[] =>
  [...Map.groupBy(lines, line => line.taxBasisPoints)]
    .toSorted(([rate], [other]) => rate - other)
    .map(([taxBasisPoints, taxed]) => {
      const baseCents = sumCents(taxed.map(({ amountCents }) => amountCents))
      return { taxBasisPoints, baseCents, taxCents: shareOf(baseCents, taxBasisPoints) }
    })
