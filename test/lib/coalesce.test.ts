import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { coalesce } from '../../src/lib/coalesce.ts'

/** Answers after a while with ten times the key; the batches it was asked for. */
function recorder() {
  const batches: number[][] = []
  const load = coalesce<number, number>(async keys => {
    batches.push([...keys])
    await sleep(10)
    return keys.map(key => (key < 0 ? new Error(`no ${key}`) : key * 10))
  })
  return { batches, load }
}

t.test('calls of one turn go together and each gets its own answer', async t => {
  const { batches, load } = recorder()
  t.same(await Promise.all([1, 2, 1, 3].map(load)), [10, 20, 10, 30])
  t.same(batches, [[1, 2, 1, 3]], 'nothing is cached or merged')
})

t.test('calls that come while two batches are out wait for one of them and go together', async t => {
  const { batches, load } = recorder()
  const calls = [load(1)]
  for (const keys of [[2], [3, 4], [5]]) {
    await sleep(2)
    calls.push(...keys.map(load))
  }
  t.same(await Promise.all(calls), [10, 20, 30, 40, 50])
  t.same(batches, [[1], [2], [3, 4, 5]])
})

t.test('an error answers its own call and no other', async t => {
  const { load } = recorder()
  const answers = await Promise.allSettled([1, -1, 2].map(load))
  t.match(answers, [{ value: 10 }, { reason: { message: 'no -1' } }, { value: 20 }])
})

t.test('a batch that fails rejects its calls, and the next works', async t => {
  let broken = true
  const load = coalesce<number, number>(async keys => {
    if (broken) throw new Error('lost')
    return [...keys]
  })
  const answers = await Promise.allSettled([load(1), load(2)])
  t.ok(answers.every(({ status }) => status === 'rejected'))
  broken = false
  t.equal(await load(3), 3)
})

t.test('a thousand calls at once are bounded batches and all are answered', async t => {
  const { batches, load } = recorder()
  const keys = Array.from({ length: 1000 }, (_, key) => key)
  t.same(
    await Promise.all(keys.map(load)),
    keys.map(key => key * 10),
  )
  t.ok(batches.every(batch => batch.length <= 256))
})
