import { Type } from '@sinclair/typebox'
import type { FastifyInstance } from 'fastify'
import { Token } from '../../../lib/schema.ts'
import { readToken, unsubscribe } from '../service/unsubscribing.ts'

/** The page behind the links in digests and reminders. A mail program sends its form by itself (RFC 8058). */
export async function unsubscribePage(app: FastifyInstance) {
  app.pages.ask({
    path: '/unsubscribe',
    title: 'Unsubscribe',
    body: Type.Object({ token: Token }),
    oneClick: true,
    async form(token) {
      const read = readToken(app, token)
      if (!read) return undefined
      const mails = read.kind === 'digest' ? 'a digest of your tasks' : 'reminders of tasks and other notifications'
      return {
        intro: [`You will get no more mails with ${mails}. The settings of your account turn them on again.`],
        fields: [],
        button: 'Unsubscribe',
      }
    },
    async submit(caller, { token }) {
      await unsubscribe(app, caller, token)
      return 'You will get no more of these mails.'
    },
  })
}
