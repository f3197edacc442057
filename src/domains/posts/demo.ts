import type { Transaction } from '../../database/client.ts'
import type { Caller } from '../../events/caller.ts'
import { record } from '../../events/record.ts'
import { demoId } from '../../lib/demo.ts'
import { orNotFound } from '../../lib/errors.ts'
import { demoOrganizationId } from '../organizations/demo.ts'
import { demoUserId } from '../users/demo.ts'
import { postEvents } from './events.ts'
import { insertPost, setPostStatus } from './queries.ts'

export const demoPostId = demoId(60)

export async function insertDemoPost(tx: Transaction, caller: Caller): Promise<void> {
  const post = {
    id: demoPostId,
    organizationId: demoOrganizationId,
    authorId: demoUserId,
    title: 'We moved',
    content: 'We have a **new office**.',
    slug: 'we-moved',
  }
  await record(tx, caller, postEvents.created, orNotFound(await insertPost(tx, post)))
  const published = await setPostStatus(tx, { id: demoPostId, status: 'published', publishAt: null })
  await record(tx, caller, postEvents.published, orNotFound(published))
}
