import { randomUUID } from 'node:crypto'

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

async function post(base: string, path: string, body: object, token?: string): Promise<Record<string, string>> {
  const answer = await fetch(`${base}/api/v1${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...(token && { authorization: `Bearer ${token}` }) },
    body: JSON.stringify(body),
  })
  if (!answer.ok) throw new Error(`POST ${path}: ${answer.status} ${await answer.text()}`)
  return answer.json() as Promise<Record<string, string>>
}
