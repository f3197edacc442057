import t from 'tap'
import { testApp } from '../../../helpers/app.ts'
import { call } from '../../../helpers/call.ts'
import { awaitMail, eventually } from '../../../helpers/mail.ts'
import { draft, line, openOffice } from './office.ts'

const test = await testApp(t, { works: true })
const { app, sql } = test
const office = await openOffice(test)
const { organization, create, act, issued, read, events, send } = office

t.test('a draft has no number, is changed and deleted; the server computes the totals', async t => {
  const made = await create()
  t.match(made, { status: 'draft', number: null, subtotalCents: 5_800, taxCents: 1_102, totalCents: 6_902 })
  const lines = [line, { ...line, quantity: 1, discountBasisPoints: 5_000, taxBasisPoints: 0 }]
  const { body: changed } = await send(`PATCH /invoices/${made.id}`, {
    lines,
    currency: 'KWD',
    customerAddress: 'Street 1',
  })
  t.match(changed, { currency: 'KWD', subtotalCents: 7_250, taxCents: 1_102, totalCents: 8_352, dueDays: 14 })
  t.match(changed, { customerName: draft.customerName, customerAddress: 'Street 1' })
  t.equal((await send(`DELETE /invoices/${made.id}`)).status, 204)
  t.equal((await call(app, `GET /invoices/${made.id}`, { as: organization.viewer })).status, 404)
  t.same(await events(made.id), ['invoice.created', 'invoice.updated', 'invoice.deleted'])
})

t.test('an issued invoice is not changed: not by a request, and not by a statement', async t => {
  const invoice = await issued()
  t.match(invoice, { status: 'open', number: Number, issuedAt: /Z$/, dueAt: /Z$/ })
  t.equal(Date.parse(invoice.dueAt) - Date.parse(invoice.issuedAt), 14 * 86_400_000)
  const refused = { status: 409, body: { code: 'invoice_not_draft' } }
  t.match(await send(`PATCH /invoices/${invoice.id}`, { dueDays: 1 }), refused)
  t.match(await send(`DELETE /invoices/${invoice.id}`), refused)
  t.match(await act(invoice.id, 'issue'), refused)
  for (const change of [
    `lines = '[]'`,
    'total_cents = 1, subtotal_cents = 1, tax_cents = 0',
    'number = 1000',
    `customer_name = 'Other'`,
    'due_at = now()',
  ])
    await t.rejects(sql(`update invoices set ${change} where id = $1`, [invoice.id]), /never changed/, change)
  await t.rejects(sql('delete from invoices where id = $1', [invoice.id]), /never changed/)
  await t.rejects(sql('truncate invoices cascade'), /append-only/)
  t.same(await read(`/invoices/${invoice.id}`), invoice)
})

t.test('what cannot be counted, or is no invoice, is refused', async t => {
  const [{ n: before }] = await sql('select count(*)::int as n from invoices')
  const path = `POST /organizations/${organization.id}/invoices`
  const wrong = [
    { lines: [] },
    { lines: [{ ...line, quantity: 0 }] },
    { lines: [{ ...line, quantity: -1 }] },
    { lines: [{ ...line, quantity: 1.5 }] },
    { lines: [{ ...line, unitAmountCents: -1 }] },
    { lines: [{ ...line, unitAmountCents: '2900' }] },
    { lines: [{ ...line, unitAmountCents: 2 ** 53 }] },
    { lines: [{ ...line, discountBasisPoints: 10_001 }] },
    { lines: [{ ...line, amountCents: 1 }] },
    { lines: Array.from({ length: 101 }, () => line) },
    { totalCents: 1 },
    { number: 7 },
    { status: 'paid' },
    { currency: 'XXX' },
    { customerEmail: 'nobody' },
    { customerName: ' ' },
    { dueDays: -1 },
  ]
  for (const more of wrong) t.equal((await send(path, { ...draft, ...more })).status, 422, JSON.stringify(more))
  const most = { ...line, unitAmountCents: Number.MAX_SAFE_INTEGER, quantity: 1, taxBasisPoints: 0 }
  t.match(await send(path, { ...draft, lines: [most, line] }), { status: 422, body: { code: 'amount_out_of_range' } })
  const [{ n: after }] = await sql('select count(*)::int as n from invoices')
  t.equal(after, before)
})

t.test('an invoice is paid, what is credited of it less, and once', async t => {
  const { id } = await issued()
  const credit = { reason: 'One was returned', lines: [{ ...line, quantity: 1 }] }
  t.match(await act(id, 'credit-notes', credit), { status: 201, body: { totalCents: 3_451, currency: 'EUR' } })
  const answers = await Promise.all(Array.from({ length: 5 }, () => act(id, 'pay', undefined, organization.member)))
  t.same(answers.map(({ status }) => status).sort(), [200, 409, 409, 409, 409])
  const { paymentId } = answers.find(({ status }) => status === 200)?.body ?? {}
  const paid = await eventually(async () => {
    const found = await read(`/invoices/${id}`)
    return found.status === 'paid' && found
  }, 'the invoice is paid')
  t.match(paid, { paymentId, paidAt: /Z$/, creditedCents: 3_451 })
  t.match(await read(`/payments/${paymentId}`), { invoiceId: id, orderId: null, amountCents: 3_451 })
  t.match(await act(id, 'pay'), { status: 409, body: { code: 'invoice_not_open' } })
  t.match(await act(id, 'void'), { status: 409, body: { code: 'invoice_not_open' } })
  t.same(await events(id), ['invoice.created', 'invoice.issued', 'invoice.paid'])
})

t.test('after a payment that is declined the invoice is free to be paid, voided or written off', async t => {
  const { id } = await issued()
  const { paymentId } = (await act(id, 'pay', { paymentMethod: 'pm_sandbox_declined' })).body
  await eventually(async () => (await read(`/payments/${paymentId}`)).status === 'failed', 'the payment fails')
  t.match(await read(`/invoices/${id}`), { status: 'open', paymentId: null })
  t.match(await act(id, 'write-off'), { status: 200, body: { status: 'uncollectible' } })
  t.match(await act(id, 'void'), { status: 200, body: { status: 'void' } })
  t.match(await act(id, 'pay'), { status: 409, body: { code: 'invoice_not_open' } })
})

t.test('while a payment is under way nothing else ends the invoice', async t => {
  const { id } = await issued()
  await sql('update invoices set payment_id = gen_random_uuid() where id = $1', [id])
  for (const action of ['pay', 'void', 'write-off'])
    t.match(await act(id, action), { status: 409, body: { code: 'invoice_being_paid' } }, action)
  const credit = { reason: 'Returned', lines: [line] }
  t.match(await act(id, 'credit-notes', credit), { status: 409, body: { code: 'invoice_being_paid' } })
})

t.test('of paying and voiding at once one wins', async t => {
  for (let round = 0; round < 5; round++) {
    const { id } = await issued()
    const answers = await Promise.all([act(id, 'pay'), act(id, 'void'), act(id, 'pay'), act(id, 'void')])
    t.equal(answers.filter(({ status }) => status === 200).length, 1)
    const { status, paymentId } = await read(`/invoices/${id}`)
    t.equal(status === 'void', paymentId === null)
  }
})

t.test('credit notes never add up to more than the invoice, and one over all of it voids it', async t => {
  const { id } = await issued()
  const credit = { reason: 'Returned', lines: [{ ...line, quantity: 1 }] }
  const answers = await Promise.all(Array.from({ length: 6 }, () => act(id, 'credit-notes', credit)))
  t.same(answers.map(({ status }) => status).sort(), [201, 201, 409, 409, 409, 409])
  t.match(await read(`/invoices/${id}`), { status: 'void', creditedCents: 6_902 })
  const { data } = await read(`/invoices/${id}/credit-notes?sort=createdAt`)
  t.equal(data[1].number, data[0].number + 1)
  const [{ id: note }] = data
  await t.rejects(sql(`update credit_notes set reason = 'other' where id = $1`, [note]), /never changed/)
  await t.rejects(sql('delete from credit_notes where id = $1', [note]), /never changed/)
  const another = await issued()
  const tooMuch = { reason: 'Returned', lines: [{ ...line, quantity: 3 }] }
  t.match(await act(another.id, 'credit-notes', tooMuch), {
    status: 409,
    body: { code: 'credit_too_large', detail: '6902 minor units are left.' },
  })
  const nothing = { reason: 'Returned', lines: [{ ...line, unitAmountCents: 0 }] }
  t.match(await act(another.id, 'credit-notes', nothing), { status: 409, body: { code: 'credit_of_nothing' } })
  const { id: unissued } = await create()
  t.match(await act(unissued, 'credit-notes', credit), { status: 409, body: { code: 'invoice_not_issued' } })
})

t.test('an invoice over nothing is paid when it is issued', async t => {
  const { id, status, paidAt } = await issued({ lines: [{ ...line, discountBasisPoints: 10_000 }] })
  t.match({ status, paidAt }, { status: 'paid', paidAt: /Z$/ })
  t.same(await events(id), ['invoice.created', 'invoice.issued', 'invoice.paid'])
})

t.test('an issued invoice is mailed as PDF, a draft is not', async t => {
  const customerEmail = 'customer@example.com'
  const { id } = await create({ customerEmail })
  t.match(await act(id, 'send'), { status: 409, body: { code: 'invoice_not_issued' } })
  const { body } = await act(id, 'issue')
  t.match(await act(id, 'send'), { status: 200, body: { sentAt: /Z$/ } })
  const mail = await awaitMail(test, customerEmail)
  t.match(mail.text, /69\.02 EUR/)
  t.match(mail.attachments, [{ filename: `invoice-${body.number}.pdf`, contentType: 'application/pdf' }])
  t.equal(
    Buffer.from(mail.attachments?.[0]?.content ?? '', 'base64')
      .subarray(0, 5)
      .toString(),
    '%PDF-',
  )
})

t.test('nobody fills a mailbox with invoices', async t => {
  const invoice = await issued({ customerEmail: 'victim@example.com' })
  const answers = []
  for (let n = 0; n < 7; n++) answers.push((await act(invoice.id, 'send')).status)
  t.same(answers, [200, 200, 200, 200, 200, 429, 429])
  const [{ n }] = await sql(`select count(*)::int as n from events where target_id = $1 and type = 'invoice.sent'`, [
    invoice.id,
  ])
  t.equal(n, 5)
})

t.test('another organization sees and changes nothing', async t => {
  const invoice = await issued()
  const as = organization.outsider
  for (const path of [
    `GET /invoices/${invoice.id}`,
    `GET /invoices/${invoice.id}/pdf`,
    `POST /invoices/${invoice.id}/void`,
  ])
    t.equal((await call(app, path, { as })).status, 404, path)
  t.equal((await act(invoice.id, 'void', undefined, organization.member)).status, 403, 'a member')
  t.same(await read(`/invoices/${invoice.id}`), invoice)
})

t.test('with its organization an issued invoice is deleted', async t => {
  const gone = await openOffice(test)
  const { id } = await gone.issued()
  await gone.act(id, 'credit-notes', { reason: 'Returned', lines: [{ ...line, quantity: 1 }] })
  const { status } = await gone.send(
    `DELETE /organizations/${gone.organization.id}`,
    undefined,
    gone.organization.owner,
  )
  t.equal(status, 202)
  const left = () => sql('select from invoices where organization_id = $1', [gone.organization.id])
  await eventually(async () => (await left()).length === 0, 'its invoices are deleted')
})
