import { apiKeyOf } from './keys.ts'

/** The id of a row of the demo data that a first start in development loads; the examples of the document name it. */
export const demoId = (number: number): string => `01990000-0000-7000-8000-${String(number).padStart(12, '0')}`

export const demoUser = { email: 'demo@lintel.localhost', password: 'demo-password', name: 'Demo Owner' }
export const demoViewer = { email: 'viewer@lintel.localhost', password: 'demo-password', name: 'Demo Viewer' }
export const demoKey = apiKeyOf('test', 'demoDemoDemoDemoDemoDemoDemo00')
