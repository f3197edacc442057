import t from 'tap'
import { openPage, sendForm } from '../helpers/forms.ts'
import { awaitLink, eventually } from '../helpers/mail.ts'
import { freePort } from '../helpers/ports.ts'
import { startLintel } from './lintel.ts'
import { emptyDatabase } from './postgres.ts'

const PASSWORD = 'correct horse battery'
/** Only the settings that production requires: no front end, no SMTP server. */
const BARE = { UNVERIFIED_LOGIN: '', RATE_LIMIT: '', LOG_LEVEL: '' }

t.test('in production with the required variables alone, what a stranger is sent leads where it should', async t => {
  const port = await freePort()
  const base = `http://127.0.0.1:${port}`
  const lintel = await startLintel(t, {
    databaseUrl: await emptyDatabase(t),
    port,
    env: { ...BARE, PUBLIC_URL: base },
  })
  const api = async (path: string, body: object) => {
    const headers = { 'content-type': 'application/json' }
    const answer = await fetch(`${base}/api/v1${path}`, { method: 'POST', headers, body: JSON.stringify(body) })
    const text = await answer.text()
    return { status: answer.status, body: text ? JSON.parse(text) : undefined }
  }

  t.match((await openPage(base)).headers.get('location'), '/docs')
  const link = await printedLink(lintel.log)
  t.ok(link.startsWith(`${base}/first-admin?token=`), link)
  const admin = { email: 'root@example.com', name: 'Root', password: PASSWORD }
  t.match(await sendForm(await openPage(link), base, admin), { status: 200, text: /is an admin now/ })
  t.match(await api('/auth/login', admin), { status: 422 }, 'the API is as strict as ever')
  t.match(await api('/auth/login', { email: admin.email, password: PASSWORD }), { body: { user: { role: 'admin' } } })

  const ada = { email: 'ada@example.com', password: PASSWORD }
  t.equal((await api('/auth/register', { ...ada, name: 'Ada' })).status, 201)
  const mailing = { config: { dataDirectory: lintel.dataDirectory } }
  const pageOf = async (path: string) => openPage(`${base}/${path}?token=${await awaitLink(mailing, ada.email, path)}`)
  t.equal((await sendForm(await pageOf('verify-email'), base)).status, 200)
  t.equal((await api('/auth/login', ada)).status, 200)
  t.equal((await api('/auth/password/forgot', { email: ada.email })).status, 202)
  t.equal((await sendForm(await pageOf('reset-password'), base, { password: 'a better password' })).status, 200)
  t.equal((await api('/auth/login', ada)).status, 401)
  t.equal((await openPage(`${base}/dev/mail`)).status, 404, 'mail is shown in development only')
  t.equal(await lintel.end('SIGTERM'), 0)
})

/** Waits for the line, which is printed after the process has started to serve. */
const printedLink = (log: () => string): Promise<string> =>
  eventually(async () => /This link makes one[^\n]*: (http\S+)\n/.exec(log())?.[1], 'the link of the first start')
