import type { Static, TObject } from '@sinclair/typebox'
import { and, eq, getTableColumns, type SQL, sql } from 'drizzle-orm'
import type { PgColumn, PgTable } from 'drizzle-orm/pg-core'
import type { Executor } from '../database/executor.ts'
import type { ListDefinition } from '../database/list/page.ts'
import { defineList } from '../database/list.ts'
import { one, type Params, statement, statements } from '../database/statement.ts'
import { touched, versionMatches } from '../database/versions.ts'
import type { Principal } from '../lib/access.ts'
import { orNotFound, orPreconditionFailed } from '../lib/errors.ts'
import { newId } from '../lib/ids.ts'
import { type Caller, userIdOf } from './caller.ts'
import { record } from './record.ts'
import type { EventType } from './registry.ts'

interface ResourceDefinition<Item extends TObject, Filters> {
  /** The singular in camel case: `project`. */
  noun: string
  /** The plural, as in paths and names: `projects`. */
  collection: string
  /** The resource in which rows are created and listed: `organization` stands for the column `organizationId`. */
  parent: string
  table: PgTable
  /** The wire shape. The columns that are read are its properties and `version`. */
  item: Item
  events: Record<'created' | 'updated' | 'deleted', EventType<Static<Item>>>
  /**
   * Selects the parent when the caller may read it: the list checks access in its own statement. Without it, the access
   * rule of the route does.
   */
  visible?: ($: Params<{ parentId: string } & Principal>) => SQL
  /** Named query parameters of the list. */
  filters?: NonNullable<ListDefinition<Static<Item>, { parentId: string }, Filters>['filters']>
}

type Columns = Record<string, PgColumn> & Record<'id' | 'version', PgColumn>
/** The data of an event contains at least the id of its target. */
type Event = EventType<{ id: string }>
type Values = Record<string, unknown>
type Key = { id: string; ifMatch: number[] | null }

/**
 * Defines the plain operations on the rows of one table, each with its event in the same transaction. An operation that
 * differs is written by hand instead.
 */
export function defineResource<Item extends TObject, Filters extends object = object>(
  definition: ResourceDefinition<Item, Filters>,
) {
  type Row = Static<Item> & { id: string; version: number }
  const { collection, table, parent, events } = definition
  const columns = getTableColumns(table) as Columns
  const { id, version, [`${parent}Id`]: parentId } = columns
  if (!parentId) throw new Error(`${collection} has no column for its ${parent}`)
  const read = Object.fromEntries(
    Object.entries(columns).filter(([name]) => name in definition.item.properties || name === 'version'),
  )
  const present = ($: Params<Key>) => and(eq(id, $.id), versionMatches(version, $.ifMatch))
  const placeholders = ($: object, names: readonly string[]) =>
    Object.fromEntries(names.map(name => [name, ($ as Values)[name]]))

  const insert = statements(`${collection}.insert`, (db, $: Params<Values>, names: readonly string[]) =>
    db
      .insert(table)
      .values(placeholders($, names) as never)
      .returning(read),
  )
  const find = one(
    statement(`${collection}.find`, (db, $: Params<{ id: string }>) => db.select(read).from(table).where(eq(id, $.id))),
  )
  const update = statements(`${collection}.update`, (db, $: Params<Key & Values>, names: readonly string[]) =>
    db
      .update(table)
      .set({ ...placeholders($, names), ...touched({ version }) })
      .where(present($))
      .returning(read),
  )
  const remove = one(
    statement(`${collection}.delete`, (db, $: Params<Key>) => db.delete(table).where(present($)).returning(read)),
  )
  const byId = { on: id, key: 'id', type: 'uuid' } as const

  return {
    ...definition,
    /** Inserts without an event, for code that records another one. */
    insert: async (on: Executor, values: Values): Promise<Row> =>
      orNotFound((await insert(on, Object.keys(values), values))[0]) as Row,

    find: (on: Executor, key: { id: string }) => find(on, key) as Promise<Row | undefined>,

    list: defineList<Static<Item>, { parentId: string }, Filters, Principal | Record<never, never>>({
      name: `${collection}.list`,
      item: definition.item,
      columns: sql.join(Object.values(read), sql`, `),
      from: sql`${table}`,
      where: $ => eq(parentId, $.parentId) as SQL,
      id: byId,
      sorts: { createdAt: byId },
      defaultSort: '-createdAt',
      ...(definition.visible ? { parent: definition.visible as never } : {}),
      ...(definition.filters ? { filters: definition.filters } : {}),
    }),

    /**
     * Creates a row from `values`, named like the columns. The id is new; `createdBy` is the caller if the table has
     * that column.
     */
    create: (caller: Caller, values: Values): Promise<Row> =>
      caller.transaction(async tx => {
        const author = 'createdBy' in columns ? { createdBy: userIdOf(caller) } : {}
        const given = { id: newId(), ...author, ...values }
        const row = orNotFound((await insert(tx, Object.keys(given), given))[0]) as Row
        await record(tx, caller, events.created as Event, row)
        return row
      }),

    /** Sets only the columns in `change`. Throws `not_found`, `precondition_failed`. */
    update: (caller: Caller, id: string, change: object, ifMatch: number[] | null): Promise<Row> =>
      caller.transaction(async tx => {
        const [changed] = await update(tx, Object.keys(change), { ...change, id, ifMatch })
        const row = orPreconditionFailed(changed, ifMatch) as Row
        await record(tx, caller, events.updated as Event, row)
        return row
      }),

    /** Throws `not_found`, `precondition_failed`. */
    delete: (caller: Caller, id: string, ifMatch: number[] | null): Promise<void> =>
      caller.transaction(async tx => {
        const row = orPreconditionFailed(await remove(tx, { id, ifMatch }), ifMatch) as Row
        await record(tx, caller, events.deleted as Event, row)
      }),
  }
}

export type Resource = ReturnType<typeof defineResource<TObject>>
