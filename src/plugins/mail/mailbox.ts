import { mkdir, readdir, readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { newId } from '../../lib/ids.ts'

export interface Attachment {
  filename: string
  contentType: string
  content: Buffer
}

export interface Mail {
  to: string
  subject: string
  text: string
  attachments?: Attachment[]
  headers?: Record<string, string>
}

export interface CapturedMail {
  id: string
  from: string
  to: string
  subject: string
  text: string
  headers?: Record<string, string>
  /** With their content in base64. */
  attachments?: { filename: string; contentType: string; content: string }[]
  sentAt: string
}

const SHOWN = 50

/** Stores mails instead of sending them: one JSON file each, readable only by the owner, since mails contain tokens. */
export class Mailbox {
  readonly #folder: string

  constructor(folder: string) {
    this.#folder = folder
  }

  async keep({ attachments, ...mail }: Mail & { from: string }): Promise<void> {
    const id = newId()
    await mkdir(this.#folder, { recursive: true, mode: 0o700 })
    const file = join(this.#folder, `${id}.json`)
    const kept = attachments?.map(({ content, ...named }) => ({ ...named, content: content.toString('base64') }))
    const captured: CapturedMail = {
      id,
      ...mail,
      ...(kept && { attachments: kept }),
      sentAt: new Date().toISOString(),
    }
    await writeFile(`${file}.part`, JSON.stringify(captured, null, 2), { mode: 0o600 })
    await rename(`${file}.part`, file)
  }

  /** Lists mails, the newest first; ids sort by time. */
  async list(): Promise<CapturedMail[]> {
    const names = await readdir(this.#folder).catch(() => [])
    const newest = names
      .filter(name => name.endsWith('.json'))
      .sort()
      .reverse()
      .slice(0, SHOWN)
    return Promise.all(newest.map(async name => JSON.parse(await readFile(join(this.#folder, name), 'utf8'))))
  }
}
