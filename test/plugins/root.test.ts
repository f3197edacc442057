import t from 'tap'
import { testApp } from '../helpers/app.ts'

const { app } = await testApp(t)

t.test('the bare host leads to the documentation', async t => {
  const { statusCode, headers } = await app.inject('/')
  t.match({ statusCode, headers }, { statusCode: 302, headers: { location: '/docs' } })
})

t.test('a browser finds an icon, and keeps it', async t => {
  const { statusCode, headers, body } = await app.inject('/favicon.ico')
  t.match({ statusCode, headers }, { statusCode: 200, headers: { 'content-type': /^image\/svg\+xml/ } })
  t.match(headers['cache-control'], /^public, max-age=\d{5,}$/)
  t.match(body, /^<svg /)
  t.notMatch(body, /style=|<style/, 'nothing that its content security policy forbids')
})

t.test('neither is an operation of the API', async t => {
  const paths = Object.keys(app.openapi().paths)
  t.notOk(paths.includes('/'))
  t.notOk(paths.includes('/favicon.ico'))
})
