import t from 'tap'
import { createOrganization } from '../../helpers/actors.ts'
import { testApp } from '../../helpers/app.ts'
import { type Credentials, call } from '../../helpers/call.ts'
import { createPost, createProject, createTask } from '../../helpers/factories.ts'
import { multipart } from '../../helpers/multipart.ts'

const ABREAST = 6

const test = await testApp(t)
const { app, sql } = test
const { id: organizationId, owner, member, viewer, outsider } = await createOrganization(test)
const projectId = await createProject(test, { organizationId })
const newTask = () => createTask(test, { projectId })

const upload = async (as: Credentials = member, to = organizationId): Promise<string> =>
  (await call(app, `POST /organizations/${to}/files`, { as, ...multipart() })).body.id
const attach = (place: string, fileId: string, as: Credentials = member) =>
  call(app, `POST ${place}/attachments`, { as, body: { fileId } })
const attached = async (place: string, as: Credentials = viewer): Promise<string[]> =>
  (await call(app, `GET ${place}/attachments`, { as })).body.data?.map(({ fileId }: { fileId: string }) => fileId)

t.test('a file is attached to several things, to each of them once', async t => {
  const [fileId, one, two] = [await upload(), await newTask(), await newTask()]
  const answers = await Promise.all(Array.from({ length: ABREAST }, () => attach(`/tasks/${one}`, fileId)))
  t.same(answers.map(({ status }) => status).toSorted(), [201, ...Array(ABREAST - 1).fill(409)])
  t.match(answers.find(({ status }) => status === 409)?.body, { code: 'already_attached' })
  const { body } = await attach(`/tasks/${two}`, fileId)
  t.match(body, { fileId, taskId: two, postId: null, messageId: null, createdBy: member.id })
  t.match((await call(app, `GET /files/${fileId}`, { as: viewer })).body, {
    name: body.name,
    sizeBytes: body.sizeBytes,
  })
  t.same([await attached(`/tasks/${one}`), await attached(`/tasks/${two}`)], [[fileId], [fileId]])
})

t.test('a file of another organization, or of nobody, is not attached', async t => {
  const taskId = await newTask()
  const foreign = await upload(outsider, outsider.organizationId)
  for (const fileId of [foreign, organizationId])
    t.match((await attach(`/tasks/${taskId}`, fileId)).body, { status: 422, errors: [{ pointer: '#/fileId' }] })
  const { body } = await attach(`/tasks/${taskId}`, await upload())
  for (const verb of ['GET', 'DELETE'])
    t.equal((await call(app, `${verb} /attachments/${body.id}`, { as: outsider })).status, 404)
  t.equal((await call(app, `DELETE /attachments/${body.id}`, { as: viewer })).status, 403)
})

t.test('an attachment goes with its file and with its task; the file stays', async t => {
  const [fileId, kept, taskId] = [await upload(), await upload(), await newTask()]
  for (const id of [fileId, kept]) await attach(`/tasks/${taskId}`, id)
  await call(app, `DELETE /files/${fileId}`, { as: member })
  t.same(await attached(`/tasks/${taskId}`), [kept])
  await call(app, `DELETE /tasks/${taskId}`, { as: owner })
  t.same(await sql('select from attachments where file_id = $1', [kept]), [])
  t.equal((await call(app, `GET /files/${kept}`, { as: viewer })).status, 200)
  const again = await attach(`/tasks/${await newTask()}`, kept)
  t.equal((await call(app, `DELETE /attachments/${again.body.id}`, { as: member })).status, 204)
  t.equal((await call(app, `GET /files/${kept}`, { as: viewer })).status, 200)
})

t.test('what is attached to a draft is for those who may read it', async t => {
  const postId = await createPost(test, { organizationId, authorId: member.id })
  const fileId = await upload()
  const { body } = await attach(`/posts/${postId}`, fileId)
  for (const path of [`/posts/${postId}/attachments`, `/attachments/${body.id}`])
    t.equal((await call(app, `GET ${path}`, { as: viewer })).status, 404, path)
  t.same(await attached(`/posts/${postId}`, member), [fileId])
  await call(app, `POST /posts/${postId}/publish`, { as: member, body: {} })
  t.same(await attached(`/posts/${postId}`), [fileId])
})

t.test('a message of a room has attachments', async t => {
  const room = await call(app, `POST /organizations/${organizationId}/rooms`, { as: member, body: { name: 'Room' } })
  const message = await call(app, `POST /rooms/${room.body.id}/messages`, { as: member, body: { body: 'Look' } })
  const fileId = await upload()
  t.match(await attach(`/messages/${message.body.id}`, fileId), { status: 201, body: { messageId: message.body.id } })
  t.same(await attached(`/messages/${message.body.id}`), [fileId])
})

t.test('a file that is deleted at the same moment is attached or gone, and never half', async t => {
  for (let round = 0; round < ABREAST; round++) {
    const [fileId, taskId] = [await upload(), await newTask()]
    const [answer, gone] = await Promise.all([
      attach(`/tasks/${taskId}`, fileId),
      call(app, `DELETE /files/${fileId}`, { as: member }),
    ])
    t.ok([201, 422].includes(answer.status), `${answer.status}`)
    t.equal(gone.status, 204)
    t.same(await attached(`/tasks/${taskId}`), [])
  }
})
