import { Readable } from 'node:stream'
import { sha256 } from '../../src/lib/crypto.ts'
import { newId } from '../../src/lib/ids.ts'
import { PASSWORD, type TestUser } from '../helpers/actors.ts'
import type { TestApp } from '../helpers/app.ts'
import { call } from '../helpers/call.ts'
import { newWallet, signMessage } from '../helpers/wallet.ts'
import type { Json } from './specification.ts'
import type { World } from './world.ts'

/** The part of a request that no response contains, because it was sent by mail or must be signed by a wallet. */
interface Secret {
  body: Json
  as?: TestUser
}

const user = ({ organization }: World): TestUser => organization.member

/** Returns a token like that in a mail. */
async function token({ sql }: TestApp, purpose: string, userId: string | null): Promise<string> {
  const secret = newId()
  await sql(
    `insert into tokens (hash, purpose, user_id, expires_at) values ($1, $2, $3, now() + interval '5 minutes')`,
    [sha256(secret), purpose, userId],
  )
  return secret
}

async function invitation({ app, sql }: TestApp, { organization }: World, email: string): Promise<string> {
  const secret = newId()
  const path = `POST /organizations/${organization.id}/invitations`
  const { body } = await call(app, path, { as: organization.owner, body: { email, role: 'member' } })
  await sql('update invitations set token_hash = $2 where id = $1', [body.id, sha256(secret)])
  return secret
}

const FUNDS_CENTS = 1_000_000

/** Fills an account: only an admin of the platform can do that through the API. */
async function funds({ sql }: TestApp, accountId: string): Promise<void> {
  await sql('update accounts set balance_cents = $2 where id = $1', [accountId, FUNDS_CENTS])
}

/** Issues an invoice, or opens it again, without a change of its version. */
const openInvoice = ({ sql }: TestApp, { id }: Record<string, string>) =>
  sql(
    `with numbered as (
      insert into invoice_numbers as n (organization_id, last_invoice)
        select organization_id, 1 from invoices where id = $1 and number is null
        on conflict (organization_id) do update set last_invoice = n.last_invoice + 1 returning last_invoice)
      update invoices set status = 'open', number = coalesce(number, (select last_invoice from numbered)), payment_id = null,
        issued_at = coalesce(issued_at, now()), due_at = coalesce(due_at, now()), credited_cents = 0 where id = $1`,
    [id],
  )

/** For each operation, how a test gets what only the recipient of a mail or the owner of a wallet has. */
export const secrets: Record<string, (test: TestApp, at: World, example: Json) => Promise<Secret>> = {
  async verifyEmail(test, at) {
    const { id } = user(at)
    await test.sql('update users set email_verified_at = null where id = $1', [id])
    return { body: { token: await token(test, 'verify_email', id) } }
  },
  async resetPassword(test, at, example) {
    return { body: { ...example, token: await token(test, 'reset_password', user(at).id) } }
  },
  async confirmEmail(test, at) {
    const { id, sessionId } = user(at)
    await test.sql(
      `insert into email_changes (user_id, email, session_id, old_confirmed_at, expires_at)
        values ($1, $2, $3, now(), now() + interval '5 minutes')`,
      [id, `${id}@example.com`, sessionId],
    )
    return { body: { token: await token(test, 'new_email', id) } }
  },
  async createFirstAdmin(test, _at, example) {
    return { body: { ...example, token: await token(test, 'first_admin', null), email: `${newId()}@example.com` } }
  },
  async login(_test, at) {
    return { body: { email: user(at).email, password: PASSWORD } }
  },
  async refresh({ app }, at) {
    const { body } = await call(app, 'POST /auth/login', { body: { email: user(at).email, password: PASSWORD } })
    return { body: { refreshToken: body.refreshToken } }
  },
  async exchangeCode(test, at) {
    return { body: { code: await token(test, 'exchange', user(at).id) } }
  },
  async signInWithWallet(test) {
    const { message, signature } = await signMessage(test, newWallet())
    return { body: { message, signature } }
  },
  async linkWallet(test) {
    const { message, signature } = await signMessage(test, newWallet())
    return { body: { message, signature } }
  },
  async acceptInvitation(test, at) {
    const { outsider } = at.organization
    return { body: { token: await invitation(test, at, outsider.email) }, as: outsider }
  },
  async registerInvited(test, at, example) {
    return { body: { ...example, token: await invitation(test, at, `${newId()}@example.com`) } }
  },
}

/** Lets all members of the organization into a room, which whoever creates it has joined alone. */
const joinAll = ({ sql }: TestApp, roomId: string | undefined) =>
  sql(
    `insert into room_members (room_id, user_id, organization_id)
      select r.id, m.user_id, m.organization_id from rooms r join members m using (organization_id) where r.id = $1
      on conflict do nothing`,
    [roomId],
  )

/** Lets all members of the organization into the room of a message. */
const joinAllAt = async (test: TestApp, { id }: Record<string, string>) => {
  const [message] = await test.sql('select room_id from messages where id = $1', [id])
  await joinAll(test, message?.room_id)
}

/** For an operation that needs its rows in a state that no operation of the caller gives them, how a test gets them there. */
export const states: Record<string, (test: TestApp, params: Record<string, string>, body: Json) => Promise<unknown>> = {
  /** Only a payment that has succeeded is refunded, and that takes a worker. */
  createRefund: ({ sql }, { id }) =>
    sql(`update payments set status = 'succeeded', refunded_cents = 0 where id = $1`, [id]),
  /** Only what is paused, or will end, is resumed. */
  resumeSubscription: ({ sql }, { id }) =>
    sql('update subscriptions set cancel_at_period_end = true where id = $1', [id]),
  sendInvoice: openInvoice,
  voidInvoice: openInvoice,
  writeOffInvoice: openInvoice,
  payInvoice: openInvoice,
  createCreditNote: openInvoice,
  joinRoom: ({ sql }, { id }) => sql('delete from room_members where room_id = $1', [id]),
  leaveRoom: (test, { id }) => joinAll(test, id),
  createMessage: (test, { id }) => joinAll(test, id),
  async markRoomRead(test, { id }) {
    await joinAll(test, id)
    await test.sql('update rooms set last_sequence = 2 where id = $1', [id])
  },
  addReaction: joinAllAt,
  /** Only who has reacted takes it back. */
  async removeReaction(test, params, { reaction }) {
    await joinAllAt(test, params)
    await test.sql(
      `insert into message_reactions (message_id, user_id, emoji, organization_id)
        select m.id, r.user_id, $2, m.organization_id from messages m join room_members r using (room_id) where m.id = $1
        on conflict do nothing`,
      [params.id, reaction],
    )
  },
  stopChat: ({ sql }, { id }) =>
    sql(
      `insert into chat_messages (id, organization_id, chat_id, role, content, status, input_tokens, lease_until)
        select gen_random_uuid(), organization_id, id, 'assistant', '', 'running', 0, now() + interval '1 day'
        from chats where id = $1`,
      [id],
    ),
  createHold: (test, { id }) => funds(test, id as string),
  /** A hold is captured once, and tests repeat it below one parent: each time gets another hold. */
  async captureHold({ sql }, params) {
    const [{ id, account_id }] = await sql(
      `insert into holds (id, organization_id, account_id, amount_cents, currency, expires_at)
        select gen_random_uuid(), organization_id, account_id, amount_cents, currency, expires_at from holds where id = $1
        returning id, account_id`,
      [params.id],
    )
    params.id = id
    await sql(
      `update accounts set balance_cents = $2, held_cents =
        (select sum(amount_cents) from holds where account_id = accounts.id and status = 'held') where id = $1`,
      [account_id, FUNDS_CENTS],
    )
  },
  /** The bytes are sent to the storage, and a file is made of them once. */
  async completeUpload({ app, sql }, { id }) {
    const bytes = Buffer.from('hello\n')
    await app.storage.write(id as string, Readable.from([bytes]))
    await sql('delete from files where id = $1', [id])
    await sql(`update uploads set status = 'pending', size_bytes = $2 where id = $1`, [id, bytes.length])
  },
  createTransfer: (test, _params, { fromAccountId }) => funds(test, fromAccountId),
}

/** For a list whose rows no operation creates below its parent, how a test gets some. */
export const fillings: Record<string, (test: TestApp, params: Record<string, string>) => Promise<unknown>> = {
  listChatMessages: ({ sql }, { id }) =>
    sql(
      `insert into chat_messages (id, organization_id, chat_id, role, content, status)
        select gen_random_uuid(), organization_id, id, 'user', 'Question ' || n, 'complete'
        from chats, generate_series(1, 3) n where id = $1`,
      [id],
    ),
  listRoomMembers: (test, { id }) => joinAll(test, id),
  listEntries: ({ sql }, { id }) =>
    sql(
      `insert into entries (account_id, seq, transfer_id, amount_cents, balance_cents)
        select $1, n, gen_random_uuid(), 1, n from generate_series(1, 3) n`,
      [id],
    ),
}
