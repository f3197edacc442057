import { join } from 'node:path'
import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import { type Mail, Mailbox } from './mailbox.ts'
import { mailboxPages } from './pages.ts'

declare module 'fastify' {
  interface FastifyInstance {
    mail: {
      /**
       * Sends the mail to the SMTP server, or to the dev mailbox. Only jobs call it: a request must not wait for SMTP.
       */
      send(mail: Mail): Promise<void>
    }
  }
}

interface MailOptions {
  smtpUrl: string | null
  from: string
  dataDirectory: string
  production: boolean
}

const TIMEOUT_MS = 10_000

async function mail(app: FastifyInstance, { smtpUrl, from, dataDirectory, production }: MailOptions) {
  if (smtpUrl !== null) {
    const url = new URL(smtpUrl)
    url.searchParams.set('connectionTimeout', String(TIMEOUT_MS))
    url.searchParams.set('socketTimeout', String(TIMEOUT_MS))
    const { createTransport } = await import('nodemailer')
    const transport = createTransport(url.href, { from })
    app.decorate('mail', { send: async message => void (await transport.sendMail(message)) })
    app.addHook('onClose', async () => transport.close())
    return
  }
  const mailbox = new Mailbox(join(dataDirectory, 'mail'))
  app.decorate('mail', { send: message => mailbox.keep({ from, ...message }) })
  if (production) app.log.warn('SMTP_URL is not set: mail is written to DATA_DIR and sent to nobody')
  else app.register(mailboxPages, { mailbox })
}

export const mailPlugin = fp(mail, { name: 'mail', dependencies: ['access'] })
