import { randomBytes } from 'node:crypto'
import t from 'tap'
import { startProxy } from '../../faults/proxy.ts'
import { createOrganization } from '../../helpers/actors.ts'
import { appOn } from '../../helpers/app.ts'
import { call } from '../../helpers/call.ts'
import { createDatabase } from '../../helpers/database.ts'
import { multipart } from '../../helpers/multipart.ts'

const { url, drop } = await createDatabase()
const proxy = await startProxy(t, url)
const test = await appOn(t, proxy.url, {}, drop)
const { app, sql } = test

t.test('the answer to the commit of an upload is lost: the row that is there has its bytes', async t => {
  const { id, member } = await createOrganization(test)
  const content = randomBytes(10_000)
  proxy.cutsAnswer = () => true
  const answer = await call(app, `POST /organizations/${id}/files`, { as: member, ...multipart({ content }) })
  proxy.cutsAnswer = () => false
  t.equal(answer.status, 503)
  const [file] = await sql('select id from files where organization_id = $1', [id])
  t.ok(file, 'it was committed')
  const download = await app.inject({ url: `/api/v1/files/${file.id}/content`, headers: member.headers })
  t.equal(download.statusCode, 200)
  t.ok(download.rawPayload.equals(content))
})
