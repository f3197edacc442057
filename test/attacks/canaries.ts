import { randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import type pg from 'pg'

interface Sending {
  token?: string | undefined
  body?: unknown
  headers?: Record<string, string>
}
export interface Answer {
  status: number
  body: ReturnType<typeof JSON.parse>
}

/** The prefix of every canary, so that one search finds all of them. */
const MARK = 'canary-'
const RANDOM_BYTES = 12
const BYTE = 256

/** Secrets that were sent to or made by the server, and the refusals that could contain them. */
export class Canaries {
  readonly #base: string
  readonly #secrets = new Set([MARK])
  readonly #refusals: string[] = []
  #requests = 0
  #made = 0

  constructor(base: string) {
    this.#base = base
  }

  /** Creates a secret that is valid as a password, token or key of 8 to 128 ASCII characters. */
  make(): string {
    this.#made++
    return MARK + randomBytes(RANDOM_BYTES).toString('hex')
  }

  /** Adds a secret that the server made. The signature of a signed token is a secret too. */
  watch(secret: string): string {
    this.#secrets.add(secret)
    if (secret.includes('.')) this.#secrets.add(secret.slice(secret.lastIndexOf('.') + 1))
    return secret
  }

  get count(): number {
    return this.#made + this.#secrets.size
  }

  /** Sends each request from another address, so that no rate limit applies. */
  async send(request: string, { token, body, headers }: Sending = {}): Promise<Answer> {
    const [method = '', path = ''] = request.split(' ')
    const at = ++this.#requests
    const answer = await fetch(`${this.#base}${path}`, {
      method,
      redirect: 'manual',
      headers: {
        'x-forwarded-for': `203.0.${Math.floor(at / BYTE) % BYTE}.${at % BYTE}`,
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    })
    const text = await answer.text()
    if (answer.status === 503 && text.includes('"code":"overloaded"')) {
      // The machine may be overloaded. The server has not processed the request, so it is repeated.
      await sleep(Number(answer.headers.get('retry-after')) * 1000)
      return this.send(request, { token, body, ...(headers ? { headers } : {}) })
    }
    if (answer.status >= 400) this.#refusals.push(`${[...answer.headers].join()} ${text}`)
    return { status: answer.status, body: text.startsWith('{') ? JSON.parse(text) : undefined }
  }

  /** Returns refusals that contain a secret. */
  refusalsThatTell(): string[] {
    return this.#refusals.filter(refusal => this.isTold(refusal))
  }

  isTold(text: string): boolean {
    return [...this.#secrets].some(secret => formsOf(secret).some(form => text.includes(form)))
  }

  /** Returns the tables of the service and of the job queue that contain a secret. */
  async tablesThatTell(client: pg.Client): Promise<string[]> {
    const { rows } = await client.query(
      `select format('%I.%I', table_schema, table_name) as name from information_schema.tables
        where table_schema in ('public', 'jobs', 'drizzle') and table_type = 'BASE TABLE'`,
    )
    const forms = [...this.#secrets].flatMap(formsOf)
    const telling: string[] = []
    for (const { name } of rows) {
      const found = await client.query(
        `select from ${name} t, unnest($1::text[]) form where position(form in t::text) > 0 limit 1`,
        [forms],
      )
      if (found.rowCount) telling.push(name)
    }
    return telling
  }
}

/** Returns a secret as it is and encoded: for a URL, as bytes of a column, and for basic credentials. */
const formsOf = (secret: string): string[] => [
  secret,
  encodeURIComponent(secret),
  Buffer.from(secret).toString('hex'),
  // The last characters depend on the text that follows.
  Buffer.from(secret).toString('base64').replace(/.?=+$/, ''),
  ...(/^[\w-]{43}$/.test(secret) ? [Buffer.from(secret, 'base64url').toString('hex')] : []),
]
