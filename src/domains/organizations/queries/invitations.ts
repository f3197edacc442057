import { eq, sql } from 'drizzle-orm'
import { batchOf, deletionOf } from '../../../database/batches.ts'
import { defineList } from '../../../database/list.ts'
import { one, type Params, statement } from '../../../database/statement.ts'
import { versionMatches } from '../../../database/versions.ts'
import type { OrganizationRole } from '../../../lib/access.ts'
import { users } from '../../users/tables.ts'
import { Invitation } from '../schemas/invitations.ts'
import { invitations, organizations } from '../tables.ts'

export type InvitationRow = Invitation & { version: number }

const LIFE = sql.raw(`interval '7 days'`)
/** An expired invitation is kept this long, so that it can be sent again. */
const KEPT = sql.raw(`interval '30 days'`)

/** The columns that responses may contain; never the hash. */
const columns = sql`id, organization_id, email, role, invited_by, expires_at, version, created_at, updated_at`

interface NewInvitation {
  id: string
  organizationId: string
  email: string
  role: OrganizationRole
  invitedBy: string | null
}

/** Inserts an invitation or replaces an expired one; undefined while one is pending. */
export const insertInvitation = one(
  statement(
    'invitations.insert',
    (_, $: Params<NewInvitation>) => sql<InvitationRow>`
      insert into ${invitations} as present (id, organization_id, email, role, invited_by, expires_at)
      values (${$.id}, ${$.organizationId}, ${$.email}, ${$.role}, ${$.invitedBy}, now() + ${LIFE})
      on conflict on constraint invitations_email_key do update set id = excluded.id, role = excluded.role, token_hash = null,
        invited_by = excluded.invited_by, expires_at = excluded.expires_at, version = 1, created_at = now(), updated_at = now()
      where present.expires_at <= now()
      returning ${columns}`,
  ),
)

export const countInvitations = one(
  statement(
    'invitations.count',
    (_, $: Params<{ organizationId: string }>) => sql<{ pending: number }>`
      select count(*) as pending from ${invitations} where organization_id = ${$.organizationId} and expires_at > now()`,
  ),
)

type Path = { organizationId: string; id: string }
type Key = Path & { ifMatch: number[] | null }

const present = ($: Params<Path>) => sql`id = ${$.id} and organization_id = ${$.organizationId}`

export const findInvitation = one(
  statement(
    'invitations.find',
    (_, $: Params<Path>) => sql<InvitationRow>`select ${columns} from ${invitations} where ${present($)}`,
  ),
)

export const deleteInvitationRow = one(
  statement(
    'invitations.delete',
    (_, $: Params<Key>) => sql<InvitationRow>`
      delete from ${invitations} where ${present($)} and ${versionMatches(invitations.version, $.ifMatch)} returning ${columns}`,
  ),
)

/** Extends the invitation and makes the token that was sent invalid. */
export const renewInvitation = one(
  statement(
    'invitations.renew',
    (_, $: Params<Key & { invitedBy: string | null }>) => sql<InvitationRow>`
      update ${invitations} set token_hash = null, invited_by = ${$.invitedBy}, expires_at = now() + ${LIFE},
        version = version + 1, updated_at = now()
      where ${present($)} and ${versionMatches(invitations.version, $.ifMatch)} returning ${columns}`,
  ),
)

/**
 * Sets the token for the next mail, in place of the previous one, and returns the content of the mail; undefined when
 * nothing is pending.
 */
export const setInvitationToken = one(
  statement(
    'invitations.set_token',
    (_, $: Params<{ id: string; hash: Buffer }>) => sql<Pick<Invitation, 'email' | 'role'> & { organization: string }>`
      update ${invitations} i set token_hash = ${$.hash} from ${organizations} o
      where i.id = ${$.id} and i.expires_at > now() and o.id = i.organization_id
      returning i.email, i.role, o.name as organization`,
  ),
)

const live = ($: Params<{ hash: Buffer }>) => sql`token_hash = ${$.hash} and expires_at > now()`

export const findLiveInvitation = one(
  statement(
    'invitations.live',
    (_, $: Params<{ hash: Buffer }>) => sql<InvitationRow>`select ${columns} from ${invitations} where ${live($)}`,
  ),
)

/** Finds the invitation of a token, and whether its address has an account. */
export const findOffer = one(
  statement(
    'invitations.offer',
    (_, $: Params<{ hash: Buffer }>) => sql<
      Pick<Invitation, 'email' | 'role'> & { organization: string; registered: boolean }
    >`
      select i.email, i.role, o.name as organization, exists (select from ${users} u where u.email = i.email) as registered
      from ${invitations} i join ${organizations} o on o.id = i.organization_id and o.deleted_at is null
      where ${live($)}`,
  ),
)

/** Consumes the invitation; a second call returns undefined. */
export const takeInvitation = one(
  statement(
    'invitations.take',
    (_, $: Params<{ hash: Buffer }>) => sql<InvitationRow>`
      delete from ${invitations} where ${live($)} returning ${columns}`,
  ),
)

export const deleteExpiredInvitations = batchOf(
  statement('invitations.delete_expired', () => deletionOf(invitations, sql`expires_at < now() - ${KEPT}`)),
)

const byId = { on: invitations.id, key: 'id', type: 'uuid' } as const

/** The route's access rule has checked the organization, so the list has no parent. */
export const listInvitations = defineList<Invitation, { organizationId: string }, { role?: string }>({
  name: 'invitations.list',
  item: Invitation,
  columns,
  from: sql`${invitations}`,
  where: $ => eq(invitations.organizationId, $.organizationId),
  id: byId,
  sorts: { createdAt: byId },
  defaultSort: '-createdAt',
  filters: { role: $ => sql`role = ${$.role}` },
})
