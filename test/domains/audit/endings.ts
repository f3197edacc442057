import { sha256 } from '../../../src/lib/crypto.ts'
import { createUser, signIn, type TestOrganization } from '../../helpers/actors.ts'
import type { TestApp } from '../../helpers/app.ts'
import { call } from '../../helpers/call.ts'

/** Ends the access of `as`, a user or a key, in `at`. */
type End = (at: TestOrganization, as: { id: string }) => Promise<{ status: number }>

export interface Ending {
  name: string
  /** Whether it ends the access of a key; otherwise of the user who is admin. */
  byKey: boolean
  end: End
}

/** Returns everything that ends the access of a user or a key to the events of an organization. */
export async function accessEndings(test: TestApp): Promise<Ending[]> {
  const { app, sql } = test
  const platformAdmin = await createUser(test, { role: 'admin' })

  const ofUsers: Record<string, End> = {
    'a sign-out': ({ admin }) => call(app, 'POST /auth/logout', { as: admin }),
    'the end of the session': ({ admin }) => call(app, `DELETE /auth/sessions/${admin.sessionId}`, { as: admin }),
    'a sign-out everywhere': async ({ admin }) =>
      call(app, 'POST /auth/logout', { as: await signIn(test, admin.id), body: { scope: 'all' } }),
    'a deactivation': ({ admin }) => call(app, `POST /users/${admin.id}/deactivate`, { as: platformAdmin }),
    'a new role on the platform': ({ admin }) =>
      call(app, `PATCH /users/${admin.id}`, { as: platformAdmin, body: { role: 'moderator' } }),
    'a new password by mail': async ({ admin }) => {
      const token = `reset-${admin.id}`
      await sql(
        `insert into tokens (hash, purpose, user_id, expires_at) values ($1, 'reset_password', $2, now() + interval '1 hour')`,
        [sha256(token), admin.id],
      )
      return call(app, 'POST /auth/password/reset', { body: { token, password: 'another quiet password' } })
    },
    'a smaller role': ({ id, admin, owner }) =>
      call(app, `PATCH /organizations/${id}/members/${admin.id}`, { as: owner, body: { role: 'member' } }),
    'a removal': ({ id, admin, owner }) => call(app, `DELETE /organizations/${id}/members/${admin.id}`, { as: owner }),
    'the deletion of the organization': ({ id, owner }) => call(app, `DELETE /organizations/${id}`, { as: owner }),
  }
  const ofKeys: Record<string, End> = {
    'a revocation': ({ id, owner }, key) => call(app, `DELETE /organizations/${id}/api-keys/${key.id}`, { as: owner }),
    'a rotation without overlap': ({ id, owner }, key) =>
      call(app, `POST /organizations/${id}/api-keys/${key.id}/rotate`, { as: owner, body: { overlapSeconds: 0 } }),
    'the loss of the scope': ({ id, owner }, key) =>
      call(app, `PATCH /organizations/${id}/api-keys/${key.id}`, { as: owner, body: { scopes: ['tasks:read'] } }),
    'its expiry': async (_, key) => {
      await sql(`update api_keys set expires_at = now() - interval '1 second' where id = $1`, [key.id])
      return { status: 200 }
    },
    'the deletion of the organization': ({ id, owner }) => call(app, `DELETE /organizations/${id}`, { as: owner }),
  }
  const endings = (ends: Record<string, End>, byKey: boolean) =>
    Object.entries(ends).map(([name, end]) => ({ name, byKey, end }))
  return [...endings(ofUsers, false), ...endings(ofKeys, true)]
}
