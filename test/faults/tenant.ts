import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'

const PASSWORD = 'correct horse battery staple'

export interface Tenant {
  token: string
  organizationId: string
  projectId: string
}

/** Creates a user with an organization and a project through the API. */
export async function createTenant(base: string): Promise<Tenant> {
  const email = await register(base)
  const { accessToken: token } = await post(base, '/auth/login', { email, password: PASSWORD })
  const { id: organizationId } = await post(base, '/organizations', { name: 'Faults' }, token)
  const { id: projectId } = await post(base, `/organizations/${organizationId}/projects`, { name: 'Faults' }, token)
  return { token, organizationId, projectId } as unknown as Tenant
}

/** Registers an account; returns its address. */
export async function register(base: string): Promise<string> {
  const email = `${randomUUID()}@example.com`
  await post(base, '/auth/register', { email, password: PASSWORD, name: 'Fault' })
  return email
}

/**
 * Comes again after 503 when `Retry-After` says so, as a partner's client does: on a busy machine a transaction may wait
 * longer for its connection than the service lets it, and then nothing was written.
 */
async function post(base: string, path: string, body: object, token?: string): Promise<Record<string, string>> {
  const answer = await fetch(`${base}/api/v1${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...(token && { authorization: `Bearer ${token}` }) },
    body: JSON.stringify(body),
  })
  const retryAfter = answer.status === 503 ? answer.headers.get('retry-after') : null
  if (retryAfter) {
    await answer.body?.cancel()
    await sleep(Number(retryAfter) * 1000)
    return post(base, path, body, token)
  }
  if (!answer.ok) throw new Error(`POST ${path}: ${answer.status} ${await answer.text()}`)
  return answer.json() as Promise<Record<string, string>>
}
