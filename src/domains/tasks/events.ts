import { defineEvents } from '../../events/registry.ts'
import { Task } from './schemas.ts'

export const taskEvents = defineEvents('task', {
  created: Task,
  updated: Task,
  completed: Task,
  moved: Task,
  deleted: Task,
})
