import type { TObject, TSchema } from '@sinclair/typebox'
import type { FastifyInstance } from 'fastify'
import type { Resource } from '../events/resource.ts'
import { member, type OrganizationRole, principalOf, type Scope } from '../lib/access.ts'
import { orNotFound } from '../lib/errors.ts'
import { List, type ListRequest, Nothing } from '../lib/schema.ts'
import { route } from './routes.ts'

/** The least role of a member, and the scope of an API key; without a scope no key has access. */
type Access = [role: OrganizationRole, scope?: Scope]

/** The plain routes of a resource. A route that is left out does not exist or is written by hand. */
interface ResourceRoutes {
  create?: { access: Access; body: TSchema; summary?: string }
  list?: { access: Access; querystring: TObject; summary?: string }
  get?: { access: Access; summary?: string }
  update?: { access: Access; body: TSchema; summary?: string }
  delete?: { access: Access; summary?: string }
}

/** Only for the types: both paths have the parameter `id`. */
type Path = '/:id'

const capital = (noun: string): string => noun.charAt(0).toUpperCase() + noun.slice(1)
/** Turns `creditNote` and `credit-note` into `credit note`. */
const words = (name: string): string =>
  name.replaceAll('-', ' ').replace(/[A-Z]/g, letter => ` ${letter.toLowerCase()}`)
/** Turns `credit-notes` into `CreditNotes`. */
const pascal = (name: string): string => name.split('-').map(capital).join('')
const withArticle = (noun: string): string => `${/^[aeio]/.test(noun) ? 'an' : 'a'} ${words(noun)}`

/** Registers the routes: `createNote` at `POST /projects/:id/notes`, `getNote` at `GET /notes/:id`, and so on. */
export function resourceRoutes(app: FastifyInstance, resource: Resource, routes: ResourceRoutes): void {
  const { noun, collection, parent, item } = resource
  const inParent = `/${parent}s/:id/${collection}` as Path
  const one = `/${collection}/:id` as Path
  const { create, list, get, update, delete: remove } = routes

  if (create)
    route(app, {
      method: 'POST',
      url: inParent,
      config: { access: member(create.access[0], parent, create.access[1]) },
      schema: {
        operationId: `create${capital(noun)}`,
        summary: create.summary ?? `Create ${withArticle(noun)}`,
        body: create.body,
        response: { 201: item },
      },
      handler: ({ caller, organizationId, params, body }) =>
        resource.create(caller, { organizationId, [`${parent}Id`]: params.id, ...(body as object) }),
    })

  if (list)
    route(app, {
      method: 'GET',
      url: inParent,
      config: { access: member(list.access[0], parent, list.access[1], resource.visible ? 'statement' : 'plugin') },
      schema: {
        operationId: `list${pascal(collection)}`,
        summary: list.summary ?? `The ${words(collection)} of ${withArticle(parent)}`,
        querystring: list.querystring,
        response: { 200: List(item) },
      },
      handler: async ({ actor, params, query }) =>
        orNotFound(
          await resource.list(app.database, { parentId: params.id }, principalOf(actor), query as ListRequest),
        ),
    })

  if (get)
    route(app, {
      method: 'GET',
      url: one,
      config: { access: member(get.access[0], noun, get.access[1]) },
      schema: {
        operationId: `get${capital(noun)}`,
        summary: get.summary ?? capital(withArticle(noun)),
        response: { 200: item },
      },
      handler: async ({ params }) => orNotFound(await resource.find(app.database, params)),
    })

  if (update)
    route(app, {
      method: 'PATCH',
      url: one,
      config: { access: member(update.access[0], noun, update.access[1]) },
      schema: {
        operationId: `update${capital(noun)}`,
        summary: update.summary ?? `Change ${withArticle(noun)}`,
        body: update.body,
        response: { 200: item },
      },
      handler: ({ caller, params, body, ifMatch }) => resource.update(caller, params.id, body as object, ifMatch),
    })

  if (remove)
    route(app, {
      method: 'DELETE',
      url: one,
      config: { access: member(remove.access[0], noun, remove.access[1]) },
      schema: {
        operationId: `delete${capital(noun)}`,
        summary: remove.summary ?? `Delete ${withArticle(noun)}`,
        response: { 204: Nothing },
      },
      handler: ({ caller, params, ifMatch }) => resource.delete(caller, params.id, ifMatch) as Promise<undefined>,
    })
}
