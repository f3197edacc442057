import { defineEvents } from '../../events/registry.ts'
import { Project } from './schemas.ts'

export const projectEvents = defineEvents('project', {
  created: Project,
  updated: Project,
  archived: Project,
  restored: Project,
  deleted: Project,
})
