import { apiKeyOf } from './keys.ts'

/** The demo data that a first start in development loads; the examples of the document refer to it. */
const id = (number: number): string => `01990000-0000-7000-8000-${String(number).padStart(12, '0')}`

/** One resource of each collection, by the name of the collection in paths. */
export const demoIds: Readonly<Record<string, string>> = {
  users: id(1),
  members: id(2),
  organizations: id(10),
  'api-keys': id(20),
  projects: id(30),
  tasks: id(40),
  comments: id(50),
}

export const demoUser = { email: 'demo@lintel.localhost', password: 'demo-password', name: 'Demo Owner' }
export const demoViewer = { email: 'viewer@lintel.localhost', password: 'demo-password', name: 'Demo Viewer' }
export const demoKey = apiKeyOf('test', 'demoDemoDemoDemoDemoDemoDemo00')
