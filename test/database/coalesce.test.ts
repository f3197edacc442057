import { setImmediate as turn } from 'node:timers/promises'
import t from 'tap'
import { fromDatabase, UnreadableRows } from '../../src/database/errors.ts'
import { coalesce } from '../../src/database/fast-path/coalesce.ts'

/** Returns a function that answers ten times the key once `answered` resolves, and the batches that it received. */
function recorder(answered: Promise<unknown> = turn()) {
  const batches: number[][] = []
  const load = coalesce<number, number>({ coalesces: true }, async keys => {
    batches.push([...keys])
    await answered
    return keys.map(key => (key < 0 ? new Error(`no ${key}`) : key * 10))
  })
  return { batches, load }
}

/** After this many turns of the event loop every pending batch has been sent. */
const TURNS = 5
async function turns(): Promise<void> {
  for (let at = 0; at < TURNS; at++) await turn()
}

t.test('calls of one turn go together and each gets its own answer', async t => {
  const { batches, load } = recorder()
  t.same(await Promise.all([1, 2, 1, 3].map(load)), [10, 20, 10, 30])
  t.same(batches, [[1, 2, 1, 3]], 'nothing is cached or merged')
})

t.test('calls that come while two batches are out wait for one of them and go together', async t => {
  const { promise, resolve } = Promise.withResolvers<void>()
  const { batches, load } = recorder(promise)
  const calls = [load(1)]
  for (const keys of [[2], [3, 4], [5]]) {
    await turns()
    calls.push(...keys.map(load))
  }
  await turns()
  t.same(batches, [[1], [2]], 'two are out')
  resolve()
  t.same(await Promise.all(calls), [10, 20, 30, 40, 50])
  t.same(batches, [[1], [2], [3, 4, 5]])
})

t.test('an error answers its own call and no other', async t => {
  const { load } = recorder()
  const answers = await Promise.allSettled([1, -1, 2].map(load))
  t.match(answers, [{ value: 10 }, { reason: { message: 'no -1' } }, { value: 20 }])
})

/** Rejects every batch with `-1` in it. */
function poisoned(error: Error, options: { writes?: boolean } = {}) {
  const batches: number[][] = []
  const load = coalesce<number, number>(
    { coalesces: true },
    async keys => {
      batches.push([...keys])
      if (keys.includes(-1)) throw error
      return [...keys]
    },
    options,
  )
  return { batches, load }
}
const sqlError = (code: string) => Object.assign(new Error(code), { code })

t.test('a batch that fails for one of its calls fails that call alone, and each is asked for once more', async t => {
  for (const error of [
    sqlError('22P02'),
    fromDatabase(sqlError('40P01')) as Error,
    new UnreadableRows('s', new Error()),
  ]) {
    const { batches, load } = poisoned(error)
    t.match(await Promise.allSettled([1, -1, 2].map(load)), [{ value: 1 }, { reason: error }, { value: 2 }])
    t.same(batches, [[1, -1, 2], [1], [-1], [2]])
  }
})

t.test('a call that was alone is not asked for again', async t => {
  const { batches, load } = poisoned(sqlError('22P02'))
  await t.rejects(load(-1), { code: '22P02' })
  t.same(batches, [[-1]])
})

t.test('without the database, or at a limit of time, nothing is asked for again, and the next works', async t => {
  for (const code of ['08006', '57P01', '53300', '57014', '55P03']) {
    const { batches, load } = poisoned(fromDatabase(sqlError(code)) as Error)
    const answers = await Promise.allSettled([1, -1].map(load))
    t.match(answers, [{ reason: { status: 503 } }, { reason: { status: 503 } }], code)
    t.same(batches, [[1, -1]])
    t.equal(await load(3), 3)
  }
})

t.test('a write whose rows came and cannot be read may have been committed: it is not repeated', async t => {
  const { batches, load } = poisoned(new UnreadableRows('s', new Error()), { writes: true })
  const answers = await Promise.allSettled([1, -1].map(load))
  t.ok(answers.every(({ status }) => status === 'rejected'))
  t.same(batches, [[1, -1]])
  const refused = poisoned(sqlError('23514'), { writes: true })
  t.match(await Promise.allSettled([1, -1].map(refused.load)), [{ value: 1 }, { reason: { code: '23514' } }])
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

t.test('where statements are not shared every call is asked by itself', async t => {
  const batches: number[][] = []
  const load = coalesce<number, number>({ coalesces: false }, async keys => {
    batches.push([...keys])
    return keys.map(key => (key < 0 ? new Error(`no ${key}`) : key))
  })
  t.match(await Promise.allSettled([1, -1].map(load)), [{ value: 1 }, { reason: { message: 'no -1' } }])
  t.same(batches, [[1], [-1]])
})
