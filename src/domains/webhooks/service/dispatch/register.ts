import type { FastifyInstance } from 'fastify'
import type { Keyring } from '../../../../lib/encryption.ts'
import { disableWebhook } from '../disable.ts'
import { Dispatcher } from './dispatcher.ts'
import { enqueue, TOPIC } from './enqueue.ts'

interface Settings {
  works: boolean
  keyring: Keyring
  webhookTimeoutMs: number
  webhookSchedule: number[]
}

/** Delivers events to webhooks, in processes with the worker role. */
export function registerDispatch(app: FastifyInstance, config: Settings): void {
  const { keyring, works, webhookTimeoutMs: timeoutMs, webhookSchedule: schedule } = config
  app.relay.subscribe('webhooks', enqueue)
  if (!works) return
  const dispatcher = new Dispatcher(app, { keyring, timeoutMs, schedule }, (tx, id, reason) =>
    disableWebhook(app, tx, id, reason),
  )
  app.database.onCommitted(TOPIC, () => dispatcher.hint())
  app.database.listener.on(TOPIC, () => dispatcher.hint())
  app.addHook('onReady', async () => dispatcher.start())
  app.addHook('onClose', () => dispatcher.stop())
}
