import type { TestApp } from './app.ts'
import { call } from './call.ts'

const MAX_REDIRECTS = 12

interface Visit {
  status: number
  location: string | undefined
  cookies: string[]
}

type Site = Pick<TestApp, 'app'> & { config: Pick<TestApp['config'], 'publicUrl'> }

/** Imitates a browser's redirects and cookies: it keeps the cookies of each site and sends them only there. */
export class Browser {
  readonly #test: Site
  readonly #jars = new Map<string, Map<string, string>>()
  readonly visited: string[] = []

  constructor(test: Site) {
    this.#test = test
  }

  /** Returns the cookies of the app, or of another site. */
  jar(url: string = this.#test.config.publicUrl): Map<string, string> {
    const { origin } = new URL(url)
    const jar = this.#jars.get(origin) ?? new Map()
    this.#jars.set(origin, jar)
    return jar
  }

  /** Sends one request without following a redirect. */
  async visit(url: string): Promise<Visit> {
    this.visited.push(url)
    const headers = { cookie: [...this.jar(url)].map(([name, value]) => `${name}=${value}`).join('; ') }
    const answer = url.startsWith(this.#test.config.publicUrl)
      ? await this.ask(url, headers)
      : await elsewhere(url, headers)
    this.keep(url, answer.cookies)
    return answer
  }

  protected async ask(url: string, headers: Record<string, string>): Promise<Visit> {
    const { status, headers: got } = await call(
      this.#test.app,
      `GET ${url.slice(this.#test.config.publicUrl.length)}`,
      {
        headers,
      },
    )
    return { status, location: got.location, cookies: [got['set-cookie'] ?? []].flat() }
  }

  keep(url: string, cookies: string[]): void {
    for (const cookie of cookies) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(cookie) ?? []
      if (/Max-Age=0|expires=Thu, 01 Jan 1970/i.test(cookie)) this.jar(url).delete(name)
      else this.jar(url).set(name, value)
    }
  }

  /** Follows redirects to a URL that starts with `end` or to a response without one; returns the last URL. */
  async follow(url: string, end: string): Promise<string> {
    let at = url
    for (let step = 0; step < MAX_REDIRECTS; step++) {
      if (at.startsWith(end)) return at
      const { status, location } = await this.visit(at)
      if (location === undefined) return `${status} at ${at}`
      at = new URL(location, at).href
    }
    throw new Error(`no end of redirects at ${at}`)
  }
}

/** A browser for a server in another process that listens on another URL than its public one. */
export class DistantBrowser extends Browser {
  readonly #publicUrl: string
  readonly #base: string

  constructor(publicUrl: string, base: string) {
    super({ config: { publicUrl } } as Site)
    this.#publicUrl = publicUrl
    this.#base = base
  }

  protected override ask(url: string, headers: Record<string, string>): Promise<Visit> {
    return elsewhere(url.replace(this.#publicUrl, this.#base), headers)
  }
}

async function elsewhere(url: string, headers: Record<string, string>): Promise<Visit> {
  const answer = await fetch(url, { redirect: 'manual', headers })
  await answer.arrayBuffer()
  const location = answer.headers.get('location') ?? undefined
  return { status: answer.status, location, cookies: answer.headers.getSetCookie() }
}
