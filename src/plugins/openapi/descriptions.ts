import { Id, Timestamp } from '../../lib/schema.ts'
import type { Json } from './components.ts'
import type { Facts, PublishedAccess } from './operation.ts'

/** Descriptions of properties that mean the same in every resource. */
const COMMON: Record<string, string> = {
  id: 'Its id, which never changes; ids sort by time of creation.',
  createdAt: 'When it was created.',
  updatedAt: 'When it last changed.',
}

/** Whether an id has only the general description. */
export const isBareId = ({ description }: Json): boolean => description === Id.description
const isBare = (schema: Json): boolean =>
  schema.description === undefined || isBareId(schema) || schema.description === Timestamp.description

export const describeId = (what: string): string => `The id of the ${what}.`

/** Describes a property by its name: `organizationId` is the id of an organization. */
const describedByName = (name: string): string | undefined =>
  COMMON[name] ?? (name.endsWith('Id') ? describeId(words(name.slice(0, -2))) : undefined)

const words = (name: string): string => name.replace(/[A-Z]/g, letter => ` ${letter.toLowerCase()}`)

/** Returns the schema of a property with a description by its name, unless it has a specific one. */
export function describeProperty(name: string, schema: Json): Json {
  const description = isBare(schema) ? describedByName(name) : undefined
  return description === undefined ? schema : { ...schema, description }
}

/** Joins the route's own description, its access rule, and the rules of all operations of its kind. */
export function describeOperation(facts: Facts): string {
  const { operation } = facts
  const paragraphs = [operation.description, describeAccess(operation['x-access']), describeManner(facts)]
  return paragraphs.filter(Boolean).join('\n\n')
}

function describeAccess(access: PublishedAccess): string {
  if (access.kind === 'public') return 'Needs no credentials.'
  const key = 'scope' in access && access.scope ? `, or an API key with the scope \`${access.scope}\`` : ''
  return `Needs ${describeUser(access)}${key}.${key ? '' : ' API keys are refused.'}`
}

function describeUser(access: PublishedAccess): string {
  if (access.kind === 'platform') return `the access token of a platform ${access.role}`
  if (access.kind !== 'organization') return 'the access token of a user'
  const least = access.role === 'owner' ? 'the role `owner`' : `the role \`${access.role}\` or a higher one`
  const besides = access.orPlatform ? `, or of a platform ${access.orPlatform}` : ''
  return `the access token of a user with ${least} in the organization${besides}`
}

function describeManner({ method, operation, versioned, lists, keyed }: Facts): string {
  const names = (operation.parameters ?? []).map(({ name }) => name)
  const sensitive = operation['x-sensitive']
  return [
    lists && 'Answers page by page: pass `meta.nextCursor` on as `cursor`.',
    lists && names.includes('page') && 'Numbered pages are to be had with `page`, and totals with `count=exact`.',
    method === 'get' && versioned && 'Answers 304 to the present `ETag` in `If-None-Match`.',
    names.includes('If-Match') && 'With `If-Match` it is refused when somebody else has changed the resource.',
    keyed && 'Safe to repeat with an `Idempotency-Key`.',
    sensitive && `Has a small limit of its own for each address${sensitive === true ? ' and account' : ''}.`,
    operation['x-cache'] === 'no-store' && 'The answer holds a secret and is not to be stored.',
  ]
    .filter(Boolean)
    .join(' ')
}
