import { apiKeyOf } from './keys.ts'

/**
 * Returns the id of a row of the demo data, which the first start in development loads. The examples in the OpenAPI
 * document use these ids.
 */
export const demoId = (number: number): string => `01990000-0000-7000-8000-${String(number).padStart(12, '0')}`

export const demoUser = { email: 'demo@lintel.localhost', password: 'demo-password', name: 'Demo Owner' }
export const demoViewer = { email: 'viewer@lintel.localhost', password: 'demo-password', name: 'Demo Viewer' }
export const demoKey = apiKeyOf('test', 'demoDemoDemoDemoDemoDemoDemo00')
/** Signs what is sent to the webhook of the demo data. */
export const demoWebhookSecret = 'whsec_bGludGVsLWRlbW8td2ViaG9vay1zZWNyZXQtb2YtMzI='
