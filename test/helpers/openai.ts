import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import type { Config } from '../../src/config.ts'

interface Test {
  teardown(done: () => Promise<void>): void
}

type Json = ReturnType<typeof JSON.parse>

/** A request for a completion. */
export interface Asked {
  path: string
  headers: IncomingHttpHeaders
  body: Json
  /** Resolves when the connection of the request is gone, or the response is complete. */
  over: Promise<unknown>
}

type Answer = (response: ServerResponse, asked: Asked) => unknown

/** A server on loopback that speaks the protocol of OpenAI, as a test wants it to. */
export interface OpenAiServer {
  asked: Asked[]
  /** What it does with a request from now on. */
  answer: Answer
  /** The app's configuration for it. */
  ai: Config['ai']
}

const event = (chunk: unknown): string => `data: ${typeof chunk === 'string' ? chunk : JSON.stringify(chunk)}\n\n`
const choice = (delta: object, finish_reason: string | null = null) => ({
  choices: [{ index: 0, delta, finish_reason }],
})

/** The events of a completion. */
export const said = (content: string): string => event({ ...choice({ content }), usage: null })
export const finished = (reason = 'stop'): string => event(choice({}, reason))
export const used = (prompt_tokens: number, completion_tokens: number): string =>
  event({ choices: [], usage: { prompt_tokens, completion_tokens, total_tokens: prompt_tokens + completion_tokens } })
export const DONE = event('[DONE]')
export { event }

export const begin = (response: ServerResponse): ServerResponse =>
  response.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8' })

/** Answers with events that are sent at once. */
export const saying =
  (...events: (string | Buffer)[]): Answer =>
  response =>
    begin(response).end(Buffer.concat(events.map(each => Buffer.from(each))))

/** Sends events and then nothing more, without an end. */
export const hangingAfter =
  (...events: string[]): Answer =>
  response => {
    const begun = begin(response)
    for (const each of events) begun.write(each)
  }

export async function startOpenAi(t: Test, overrides: Partial<Config['ai']> = {}): Promise<OpenAiServer> {
  const http = createServer(async (request, response) => {
    const over = once(response, 'close')
    const body = JSON.parse(await text(request))
    const asked: Asked = { path: request.url ?? '', headers: request.headers, body, over }
    server.asked.push(asked)
    server.answer(response, asked)
  })
  await new Promise<void>(resolve => http.listen(0, '127.0.0.1', resolve))
  t.teardown(async () => {
    http.closeAllConnections()
    await new Promise(resolve => http.close(resolve))
  })
  const server: OpenAiServer = {
    asked: [],
    answer: saying(said('Hello'), finished(), used(7, 3), DONE),
    ai: {
      baseUrl: `http://127.0.0.1:${(http.address() as AddressInfo).port}/v1`,
      apiKey: 'canary-key-of-the-provider',
      model: 'test-model',
      timeoutMs: 60_000,
      maxOutputTokens: 1_000,
      prices: { inputCents: 250, outputCents: 1_000 },
      monthlyBudgetCents: null,
      ...overrides,
    },
  }
  return server
}
