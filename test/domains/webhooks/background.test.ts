import { randomBytes } from 'node:crypto'
import t from 'tap'
import { disableWebhook } from '../../../src/domains/webhooks/service/disable.ts'
import { mailDisabled } from '../../../src/domains/webhooks/service/mails.ts'
import { reencryptSecrets } from '../../../src/domains/webhooks/service/reencryption.ts'
import { openSecret, readSecret } from '../../../src/domains/webhooks/service/secrets.ts'
import { Keyring } from '../../../src/lib/encryption.ts'
import { addMember, createOrganization, createUser } from '../../helpers/actors.ts'
import { testApp } from '../../helpers/app.ts'
import { call } from '../../helpers/call.ts'
import { createWebhook, insertDelivery, insertEvent } from '../../helpers/endpoints.ts'
import { awaitMail, eventually, mailsTo } from '../../helpers/mail.ts'

const [old, fresh] = [1, 2].map(() => randomBytes(32).toString('base64')) as [string, string]
const test = await testApp(t, { works: true, keyring: new Keyring([old]), eventRetentionDays: 30 })
const { app, sql } = test

const disable = (id: string, reason: 'gone' | 'exhausted' = 'gone') =>
  app.database.transaction(tx => disableWebhook(app, tx, id, reason))
const idle = () =>
  eventually(
    async () =>
      (await sql(`select from jobs.job where name = 'webhooks.disabled_mail' and state < 'completed'`)).length === 0,
    'the mails are sent',
  )

t.test('a webhook that the service disables is cancelled, recorded, and told to each owner once', async t => {
  const organization = await createOrganization(test)
  const second = await createUser(test)
  await addMember(test, organization.id, second.id, 'owner')
  const { id } = await createWebhook(test, organization, { url: 'https://example.com/a' })
  const deliveryId = await insertDelivery(test, id, await insertEvent(test, organization.id, 'task.created'))
  const both = await Promise.all([disable(id), disable(id)])
  t.same(both.sort(), [false, true], 'by one of two at the same time')
  const { body } = await call(app, `GET /webhooks/${id}`, { as: organization.admin })
  t.match(body, { enabled: false, disabledReason: 'gone', disabledAt: /Z$/ })
  t.same(await sql('select state from deliveries where id = $1', [deliveryId]), [{ state: 'cancelled' }])
  t.same(await sql(`select actor_type from events where type = 'webhook.disabled' and target_id = $1`, [id]), [
    { actor_type: 'system' },
  ])
  for (const { email } of [organization.owner, second]) {
    const { text } = await awaitMail(test, email)
    t.match(text, /410/)
    t.match(text, id)
  }
  await idle()
  for (const { email } of [organization.owner, second]) t.equal((await mailsTo(test, email)).length, 1)
  t.same(await mailsTo(test, organization.admin.email), [], 'an admin is no owner')
})

t.test('what is rolled back disables nothing and sends nothing', async t => {
  const organization = await createOrganization(test)
  const { id } = await createWebhook(test, organization)
  const failed = app.database.transaction(async tx => {
    await disableWebhook(app, tx, id, 'exhausted')
    throw new Error('crash')
  })
  await t.rejects(failed, /crash/)
  await idle()
  t.equal((await call(app, `GET /webhooks/${id}`, { as: organization.admin })).body.enabled, true)
  t.same(await mailsTo(test, organization.owner.email), [])
})

t.test('no mail is sent for a webhook that is enabled again or deleted by then', async t => {
  const organization = await createOrganization(test)
  const { id } = await createWebhook(test, organization)
  await mailDisabled(app, id, organization.owner.id)
  await call(app, `DELETE /webhooks/${id}`, { as: organization.admin })
  await mailDisabled(app, id, organization.owner.id)
  t.same(await mailsTo(test, organization.owner.email), [])
})

t.test('a URL in the mail is no link and adds no lines', async t => {
  const organization = await createOrganization(test)
  const { id } = await createWebhook(test, organization, { url: 'https://example.com/?a=https://evil.example/' })
  await disable(id, 'exhausted')
  const { text } = await awaitMail(test, organization.owner.email)
  t.notMatch(text, /https:\/\//)
})

t.test('settled deliveries are deleted after the retention of events, what is pending stays', async t => {
  const organization = await createOrganization(test)
  const { id } = await createWebhook(test, organization)
  await sql('update webhooks set enabled = false where id = $1', [id])
  const make = async (state: string, old: boolean) => {
    const deliveryId = await insertDelivery(test, id, await insertEvent(test, organization.id, 'task.created'), state)
    if (!old) return deliveryId
    // UUIDv7 begins with the time.
    const past = Math.floor(Date.now() - 31 * 86_400_000)
      .toString(16)
      .padStart(12, '0')
    const aged = `${past.slice(0, 8)}-${past.slice(8)}${deliveryId.slice(13)}`
    await sql('update deliveries set id = $2 where id = $1', [deliveryId, aged])
    return aged
  }
  const old = [await make('delivered', true), await make('failed', true)]
  const kept = [await make('pending', true), await make('delivered', false)]
  await sql(`insert into jobs.job (name, data) values ('webhooks.expire_deliveries', '{"payload":{}}')`)
  // The webhook's own creation may have become a delivery before it was disabled.
  const left = () => sql('select id from deliveries where id = any($1) order by id', [[...old, ...kept]])
  await eventually(async () => (await left()).length === 2, 'the old ones are deleted')
  t.same(
    (await left()).map((row: { id: string }) => row.id),
    kept,
  )
})

t.test('secrets of an older key are written anew, the secret before a rotation too, and stay the same', async t => {
  const organization = await createOrganization(test)
  const made = await createWebhook(test, organization)
  const { body: rotated } = await call(app, `POST /webhooks/${made.id}/rotate-secret`, { as: organization.admin })
  const expired = await createWebhook(test, organization)
  await call(app, `POST /webhooks/${expired.id}/rotate-secret`, { as: organization.admin })
  await sql(`update webhooks set previous_secret_expires_at = now() - interval '1 second' where id = $1`, [expired.id])
  const both = new Keyring([fresh, old])
  while (await app.database.transaction(tx => reencryptSecrets(tx, both)));
  const [row] = await sql('select secret, previous_secret, version from webhooks where id = $1', [made.id])
  const only = new Keyring([fresh])
  t.same(openSecret(only, made.id, row.secret), readSecret(rotated.secret))
  t.same(openSecret(only, made.id, row.previous_secret), readSecret(made.secret))
  t.equal(row.version, rotated.version ?? 2, 'the version has not changed')
  t.throws(() => openSecret(only, expired.id, row.secret), /damaged/, 'it is of another row')
  t.same(await sql('select previous_secret from webhooks where id = $1', [expired.id]), [{ previous_secret: null }])
  t.equal(
    (await sql(`select from webhooks where substring(secret from 1 for 9) <> $1`, [only.prefix])).length,
    0,
    'none is left',
  )
})
