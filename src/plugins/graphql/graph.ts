import type { TObject } from '@sinclair/typebox'
import type { Executor } from '../../database/executor.ts'
import type { Slice } from '../../database/list.ts'
import type { Principal } from '../../lib/access.ts'
import type { ListRequest } from '../../lib/schema.ts'

/** What a domain adds to the graph. It names operations, whose access rules and schemas hold here too. */
export interface Graph {
  types?: Readonly<Record<string, NodeType | AnswerType>>
  /** Fields of the types of this domain and of those before it, by the name of the type; `Query` is the root. */
  fields?: Readonly<Record<string, Readonly<Record<string, Field>>>>
  /** The operations that are mutations under the same name. */
  mutations?: readonly string[]
}

/** A type whose rows can be found by id. */
export interface NodeType {
  /** The wire shape: its properties are the fields. */
  item: TObject
  /** The operation whose access rule holds for finding rows. */
  operation: string
  /** Finds the rows that the caller may see; the others are left out. One statement, whatever the number of ids. */
  find(on: Executor, asked: Principal & { ids: string[] }): Promise<object[]>
  /** Returns the id of a row, unless that is its property `id`. */
  idOf?(row: never): string
}

/** A type that is only the answer of an operation. */
type AnswerType = Pick<NodeType, 'item'>

/** The row of `type` with the id that the parent names, or that the argument `id` gives at the root. */
interface Reference {
  kind: 'reference'
  type: string
  idOf?(parent: never): string | null
}

/** A page of a list, whose arguments are those of the operation. */
interface Connection {
  kind: 'connection'
  type: string
  operation: string
  list: PagedList
  /** Returns the scope of the list; its first value is the id that the path of the operation has. */
  scopeOf(parent: never, principal: Principal): object
}

/** What the handler of an operation without parameters returns. */
interface Answer {
  kind: 'answer'
  operation: string
}

export type Field = Reference | Connection | Answer

/** The functions of `defineList` that serve many parents at once. */
export interface PagedList {
  pages(on: Executor, scopes: never, principal: never, query: never): Promise<(Slice<object> | Error | undefined)[]>
  totals(on: Executor, scopes: never, principal: never, query: never): Promise<(number | undefined)[]>
}

export const reference = <Parent>(type: string, idOf?: (parent: Parent) => string | null): Field => ({
  kind: 'reference',
  type,
  ...(idOf && { idOf: idOf as never }),
})

interface InOrganization {
  organizationId: string
}

/** The member of the parent's organization with the user's id; null when the user has left it. */
export const memberOf = <Parent>(userIdOf: (parent: Parent) => string | null): Field =>
  reference<Parent & InOrganization>('Member', parent => {
    const userId = userIdOf(parent)
    return userId === null ? null : `${parent.organizationId}/${userId}`
  })

export const connection = <Parent>(
  type: string,
  operation: string,
  list: PagedList,
  scopeOf: (parent: Parent, principal: Principal) => object,
): Field => ({ kind: 'connection', type, operation, list, scopeOf: scopeOf as never })

export const answer = (operation: string): Field => ({ kind: 'answer', operation })

export type { Connection, ListRequest, Reference }
