import type { Test } from 'tap'
import type { Client } from './client.ts'
import type { Operation } from './specification.ts'

/** Returns a function that tests each of some operations, and that all its responses fit the document. */
export const eachBy =
  (t: Pick<Test, 'test'>, client: Client) =>
  (operations: Operation[], title: string, check: (t: Test, operation: Operation) => Promise<void>): void => {
    for (const operation of operations)
      t.test(`${operation.id}: ${title}`, async t => {
        client.faults.length = 0
        await check(t, operation)
        t.same(client.faults, [], 'every answer fits the document')
      })
  }
