import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { CapturedMail } from '../../src/plugins/mail/mailbox.ts'
import type { TestApp } from './app.ts'

/** Long, for a busy machine: otherwise mails come within a second or two. */
const PATIENCE_MS = 60_000
const POLL_MS = 50

/** Calls `look` until it returns a value; returns that. Throws after `PATIENCE_MS`. */
export async function eventually<T>(look: () => Promise<T | undefined | false>, what: string): Promise<T> {
  const end = Date.now() + PATIENCE_MS
  while (Date.now() < end) {
    const found = await look()
    if (found) return found
    await sleep(POLL_MS)
  }
  throw new Error(`in vain: ${what}`)
}

/** An app, or anything else that keeps its mails in a folder. */
type Mailing = { config: Pick<TestApp['config'], 'dataDirectory'> }

/** Returns the captured mails to an address, the oldest first. */
export async function mailsTo({ config }: Mailing, address: string): Promise<CapturedMail[]> {
  const folder = join(config.dataDirectory, 'mail')
  const names = (await readdir(folder).catch(() => [])).filter(name => name.endsWith('.json')).sort()
  const mails = await Promise.all(names.map(async name => JSON.parse(await readFile(join(folder, name), 'utf8'))))
  return mails.filter(mail => mail.to === address)
}

/** Waits for the mail number `nth` to an address. */
export const awaitMail = (test: Mailing, address: string, nth = 1): Promise<CapturedMail> =>
  eventually(async () => (await mailsTo(test, address))[nth - 1], `mail ${nth} to ${address}`)

/** Returns the token in the link of a mail. */
export const tokenIn = ({ text }: Pick<CapturedMail, 'text'>): string => /token=([\w-]+)/.exec(text)?.[1] as string

/** Waits for a mail with a link to `page` and returns its token: mails of different kinds come in any order. */
export const awaitLink = (test: Mailing, address: string, page: string): Promise<string> =>
  eventually(async () => {
    const mail = (await mailsTo(test, address)).findLast(({ text }) => text.includes(`/${page}?`))
    return mail && tokenIn(mail)
  }, `a link to ${page} for ${address}`)
