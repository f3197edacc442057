import { and, eq, sql } from 'drizzle-orm'
import { defineList } from '../../../database/list.ts'
import { one, type Params, statement } from '../../../database/statement.ts'
import { contains } from '../../../database/text.ts'
import { touched, versionMatches } from '../../../database/versions.ts'
import type { OrganizationRole, Principal } from '../../../lib/access.ts'
import { users } from '../../users/tables.ts'
import { Member } from '../schemas/members.ts'
import { members } from '../tables.ts'
import { hasRole } from './access.ts'

type MemberRow = Member & { version: number }

const columns = sql`m.organization_id, m.user_id, u.name, u.email, m.role, m.version, m.created_at, m.updated_at`
const source = sql`${members} m join ${users} u on u.id = m.user_id`

export const insertMember = statement(
  'members.insert',
  (_, $: Params<{ organizationId: string; userId: string; role: OrganizationRole }>) => sql`
    insert into ${members} (organization_id, user_id, role) values (${$.organizationId}, ${$.userId}, ${$.role})`,
)

type MemberKey = { organizationId: string; userId: string }

export const findMember = one(
  statement(
    'members.find',
    (_, $: Params<MemberKey>) => sql<MemberRow>`
      select ${columns} from ${source} where m.organization_id = ${$.organizationId} and m.user_id = ${$.userId}`,
  ),
)

/** Finds the members that `ids` names, each `organizationId/userId`, in those organizations that the principal is in. */
export const readMembers = statement(
  'members.readable',
  (_, $: Params<Principal & { ids: string[] }>) => sql<MemberRow>`
    select ${columns} from unnest(${$.ids}::text[]) as asked(id)
    join ${members} m on m.organization_id = split_part(asked.id, '/', 1)::uuid
      and m.user_id = split_part(asked.id, '/', 2)::uuid
    join ${users} u on u.id = m.user_id
    where ${hasRole(sql`m.organization_id`, $, 'viewer')}`,
)

/** Finds the member with this address. */
export const findMemberByEmail = one(
  statement(
    'members.find_by_email',
    (_, $: Params<{ organizationId: string; email: string }>) => sql<{ userId: string }>`
      select m.user_id from ${source} where u.email = ${$.email} and m.organization_id = ${$.organizationId}`,
  ),
)

/** Lists the owners. The result stays valid until the commit only if the organization is locked. */
export const findOwners = statement(
  'members.owners',
  (_, $: Params<{ organizationId: string }>) => sql<{ userId: string }>`
    select user_id from ${members} where organization_id = ${$.organizationId} and role = 'owner'`,
)

/** Lists the organizations that would have no owner without the user. */
export const findOwnedAlone = statement(
  'members.owned_alone',
  (_, $: Params<{ userId: string }>) => sql<{ organizationId: string }>`
    select m.organization_id from ${members} m where m.user_id = ${$.userId} and m.role = 'owner' and not exists (
      select from ${members} o where o.organization_id = m.organization_id and o.role = 'owner' and o.user_id <> m.user_id)`,
)

const key = ($: Params<MemberKey & { ifMatch: number[] | null }>) =>
  and(
    eq(members.organizationId, $.organizationId),
    eq(members.userId, $.userId),
    versionMatches(members.version, $.ifMatch),
  )

export const updateMemberRow = one(
  statement('members.update', (db, $: Params<MemberKey & { role: OrganizationRole; ifMatch: number[] | null }>) =>
    db
      .update(members)
      .set({ role: sql`${$.role}`, ...touched(members) })
      .where(key($))
      .returning({ userId: members.userId }),
  ),
)

export const removeMemberRow = one(
  statement('members.delete', (db, $: Params<MemberKey & { ifMatch: number[] | null }>) =>
    db.delete(members).where(key($)).returning({ userId: members.userId }),
  ),
)

export const deleteMemberships = statement(
  'members.delete_of_user',
  (_, $: Params<{ userId: string }>) => sql<Pick<Member, 'organizationId' | 'userId' | 'role'>>`
    delete from ${members} where user_id = ${$.userId} returning organization_id, user_id, role`,
)

const byUser = { on: sql`m.user_id`, key: 'userId', type: 'uuid' } as const

/** The route's access rule has checked the organization, so the list has no parent. */
export const listMembers = defineList<Member, { organizationId: string }, { role?: string; search?: string }>({
  name: 'members.list',
  item: Member,
  columns,
  from: source,
  where: $ => sql`m.organization_id = ${$.organizationId}`,
  id: byUser,
  sorts: { createdAt: byUser },
  defaultSort: '-createdAt',
  filters: {
    role: $ => sql`m.role = ${$.role}`,
    search: $ => sql`(${contains(sql`u.name`, $.search)} or ${contains(sql`u.email`, $.search)})`,
  },
})
