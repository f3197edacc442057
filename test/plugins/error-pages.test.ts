import t from 'tap'
import { errorCatalogue } from '../../src/lib/errors.ts'
import { testApp } from '../helpers/app.ts'
import { call } from '../helpers/call.ts'

const { app, config } = await testApp(t)
const codes = [...errorCatalogue]

t.test('every code says its cause and what to do about it', async t => {
  for (const [code, { title, help }] of codes) {
    const sentences = help.split(/(?<=\.)\s+(?=[A-Z`])/)
    t.ok(sentences.length >= 2, `${code}: ${help}`)
    t.match(help, /\.$/, code)
    t.notMatch(title, /\.$/, code)
  }
})

t.test('the type of a problem leads to the entry of its code', async t => {
  const { body } = await call(app, 'GET /nothing')
  const { origin, pathname, hash } = new URL(body.type)
  t.equal(origin, config.publicUrl)
  const { status, text, headers } = await call(app, `GET ${pathname}`)
  t.equal(status, 200)
  t.match(headers['content-type'], 'text/html')
  t.match(hash, `#${body.code}`)
  for (const [code, { title }] of codes) {
    const [entry = ''] = text.split(`<h2 id="${code}">`)[1]?.split('<h2') ?? []
    t.ok(entry.includes(title.replaceAll("'", '&#39;')), code)
  }
})

t.test('every code has a page of its own, and no other word has', async t => {
  for (const [code] of codes) {
    const { status, text } = await call(app, `GET /docs/errors/${code}`)
    t.equal(status, 200, code)
    t.match(text, `<h2 id="${code}">`)
    t.equal(text.split('<h2').length, 2, 'and nothing else on it')
  }
  for (const word of ['nothing', '__proto__', '<script>', ''])
    t.equal((await call(app, `GET /docs/errors/${word}`)).body?.code, 'not_found', word)
})
