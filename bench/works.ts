import type { Pair, Targets } from './seed.ts'

export const works = ['read', 'list', 'create', 'mixed', 'transfer', 'transfer-hot'] as const
export type Work = (typeof works)[number]

export interface LoadRequest {
  method: 'GET' | 'POST'
  path: string
  headers: Record<string, string>
  body?: string
}

/** The targets of a run, and the token of each user. */
export interface Asked {
  targets: Targets
  tokens: ReadonlyMap<string, string>
}

/** What autocannon replaces by a new id. */
const NEW_KEY = '[<id>]'
const MIXED_READS = 0.8
const MIXED_LISTS = 0.15

const BODY = JSON.stringify({
  title: 'Check the joints of the frame',
  description: 'The lintel carries what stands above it.',
  priority: 2,
})

const pick = <T>(targets: T[]): T => targets[Math.floor(Math.random() * targets.length)] as T

const authorization = ({ tokens }: Asked, { userId }: { userId: string }) => `Bearer ${tokens.get(userId)}`

function read(asked: Asked): LoadRequest {
  const task = pick(asked.targets.tasks)
  return { method: 'GET', path: `/api/v1/tasks/${task.id}`, headers: { authorization: authorization(asked, task) } }
}

function list(asked: Asked): LoadRequest {
  const project = pick(asked.targets.projects)
  const headers = { authorization: authorization(asked, project) }
  return { method: 'GET', path: `/api/v1/projects/${project.id}/tasks?limit=20`, headers }
}

function create(asked: Asked): LoadRequest {
  const project = pick(asked.targets.projects)
  const headers = { authorization: authorization(asked, project), 'content-type': 'application/json' }
  return { method: 'POST', path: `/api/v1/projects/${project.id}/tasks`, headers, body: BODY }
}

function mixed(asked: Asked): LoadRequest {
  const share = Math.random()
  if (share < MIXED_READS) return read(asked)
  return share < MIXED_READS + MIXED_LISTS ? list(asked) : create(asked)
}

/** The load generator puts another key in place of `NEW_KEY` for each request. */
function transfer(asked: Asked, pairs: Pair[]): LoadRequest {
  const pair = pick(pairs)
  const { fromAccountId, toAccountId } = pair
  const headers = {
    authorization: authorization(asked, pair),
    'content-type': 'application/json',
    'idempotency-key': NEW_KEY,
  }
  const body = JSON.stringify({ fromAccountId, toAccountId, amountCents: 1, currency: 'EUR' })
  return { method: 'POST', path: '/api/v1/transfers', headers, body }
}

const makers: Record<Work, (asked: Asked) => LoadRequest> = {
  read,
  list,
  create,
  mixed,
  transfer: asked => transfer(asked, asked.targets.pairs),
  'transfer-hot': asked => transfer(asked, asked.targets.hotPairs),
}

export const requestsFor = (work: Work, count: number, asked: Asked): LoadRequest[] =>
  Array.from({ length: count }, () => makers[work](asked))
