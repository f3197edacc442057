import assert from 'node:assert/strict'
import type { Server } from './servers.ts'
import type { Asked } from './works.ts'
import { requestsFor } from './works.ts'

const CHECKED = 20

async function answer({ url }: Server, { path, headers }: { path: string; headers: Record<string, string> }) {
  const response = await fetch(url + path, { headers })
  assert.equal(response.status, 200, `${path} of ${url}`)
  return (await response.json()) as { id?: string; data?: object[] }
}

/** The cursors of the two servers differ. */
const comparable = ({ data, ...rest }: { data?: object[] }) => data ?? rest

/** Checks that two servers do the same work: responses to random reads and lists must have equal bodies. */
export async function checkSameness(a: Server, b: Server, asked: Asked): Promise<void> {
  for (const work of ['read', 'list'] as const)
    for (const request of requestsFor(work, CHECKED, asked)) {
      const [left, right] = await Promise.all([answer(a, request), answer(b, request)])
      assert.deepEqual(comparable(left), comparable(right), request.path)
    }
}
