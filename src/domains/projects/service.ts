import { type Caller, userIdOf } from '../../events/caller.ts'
import { record } from '../../events/record.ts'
import { orNotFound, orPreconditionFailed, requireVersion } from '../../lib/errors.ts'
import { newId } from '../../lib/ids.ts'
import { projectEvents } from './events.ts'
import { deleteProjectRow, insertProject, lockProject, setProjectStatus, updateProjectRow } from './queries.ts'
import type { CreateProject, UpdateProject } from './schemas.ts'

export const createProject = (caller: Caller, organizationId: string, { name, description }: CreateProject) =>
  caller.transaction(async tx => {
    const row = { id: newId(), organizationId, name, description: description ?? null, createdBy: userIdOf(caller) }
    const project = orNotFound(await insertProject(tx, row))
    await record(tx, caller, projectEvents.created, project)
    return project
  })

/** Throws `precondition_failed`. */
export const updateProject = (caller: Caller, id: string, change: UpdateProject, ifMatch: number[] | null) =>
  caller.transaction(async tx => {
    const changed = Object.keys(change) as (keyof UpdateProject)[]
    const [row] = await updateProjectRow(tx, changed, { name: '', description: null, ...change, id, ifMatch })
    const project = orPreconditionFailed(row, ifMatch)
    await record(tx, caller, projectEvents.updated, project)
    return project
  })

/** Doing it twice changes and records nothing more. Throws `precondition_failed`. */
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

/** Takes its tasks along. Throws `precondition_failed`. */
export const deleteProject = (caller: Caller, id: string, ifMatch: number[] | null) =>
  caller.transaction(async tx => {
    const project = orPreconditionFailed(await deleteProjectRow(tx, { id, ifMatch }), ifMatch)
    await record(tx, caller, projectEvents.deleted, project)
  })
