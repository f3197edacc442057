import t from 'tap'
import { keyOfSchema, memoize } from '../../src/lib/memo.ts'
import { textForm } from '../../src/lib/text-form.ts'

t.test('what is made for a key is made once, even if it is nothing', async t => {
  const once = memoize()
  let made = 0
  for (let at = 0; at < 2; at++)
    t.equal(
      once('a', () => void made++),
      undefined,
    )
  t.equal(made, 1)
  once('b', () => made++)
  t.equal(made, 2)
})

t.test('equal schemas have one key, and any difference is another', async t => {
  const form = textForm({})
  const schema = (member: object) => ({ type: 'object', properties: { a: { type: 'string', ...member } } })
  t.equal(keyOfSchema(schema({ maxLength: 3, form })), keyOfSchema(schema({ maxLength: 3, form })))
  const keys = [{}, { maxLength: 3 }, { maxLength: 4 }, { form }, { form: textForm({}) }, { form: 1 }].map(schema)
  t.equal(new Set(keys.map(keyOfSchema)).size, keys.length, 'functions count too')
})
