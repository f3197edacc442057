import t from 'tap'
import { issueInvoice } from '../../../../src/domains/billing/invoices/service/invoices.ts'
import { bySystem } from '../../../../src/events/caller.ts'
import { seeded } from '../../../faults/random.ts'
import { testApp } from '../../../helpers/app.ts'
import { openOffice } from './office.ts'

const test = await testApp(t)
const { app, sql } = test

const ISSUES = 200

t.test('200 issues at once, with rollbacks and killed backends, give 1 … n without gaps', async t => {
  const { organization, create } = await openOffice(test)
  const { below } = seeded(t)
  const ids: string[] = []
  for (let n = 0; n < ISSUES; n++) ids.push((await create()).id)
  const issue = (id: string, ends: 'commit' | 'rollback' | 'kill') =>
    app.database.transaction(async tx => {
      await issueInvoice(bySystem(tx), id, null)
      if (ends === 'rollback') throw new Error('rolled back')
      if (ends === 'kill') await tx.execute('select pg_terminate_backend(pg_backend_pid())')
    })
  const ends = ['commit', 'commit', 'rollback', 'kill'] as const
  const outcomes = await Promise.allSettled(ids.map(id => issue(id, ends[below(ends.length)] ?? 'commit')))
  const rows = await sql(
    `select status, number from invoices where organization_id = $1 and status <> 'draft' order by number`,
    [organization.id],
  )
  const committed = outcomes.filter(({ status }) => status === 'fulfilled').length
  t.ok(committed > 0 && committed < ISSUES, `${committed} were issued`)
  t.same(
    rows.map(({ number }: { number: number }) => number),
    Array.from({ length: committed }, (_, at) => at + 1),
  )
})

t.test('of many issues of one draft one counts, and each organization begins with 1', async t => {
  const { create, act } = await openOffice(test)
  const { id } = await create()
  const answers = await Promise.all(Array.from({ length: 10 }, () => act(id, 'issue')))
  t.equal(answers.filter(({ status }) => status === 200).length, 1)
  t.match(answers.find(({ status }) => status === 200)?.body, { number: 1 })
  t.equal((await act((await create()).id, 'issue')).body.number, 2)
})
