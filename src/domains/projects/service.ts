import type { Caller } from '../../events/caller.ts'
import { record } from '../../events/record.ts'
import { orNotFound, requireVersion } from '../../lib/errors.ts'
import { projectEvents } from './events.ts'
import { lockProject, setProjectStatus } from './queries.ts'

/** Sets the status; when it is already set, changes and records nothing. Throws `precondition_failed`. */
const setStatus =
  (status: 'active' | 'archived', type: typeof projectEvents.archived) =>
  (caller: Caller, id: string, ifMatch: number[] | null) =>
    caller.transaction(async tx => {
      const before = orNotFound(await lockProject(tx, { id }))
      requireVersion(before, ifMatch)
      if (before.status === status) return before
      const project = orNotFound(await setProjectStatus(tx, { id, status }))
      await record(tx, caller, type, project)
      return project
    })

export const archiveProject = setStatus('archived', projectEvents.archived)
export const restoreProject = setStatus('active', projectEvents.restored)
