import { OutboundError } from './errors.ts'
import type { OutboundAnswer, OutboundRequest } from './messages.ts'

/** What libraries ask of `fetch`. */
export type Fetch = (
  url: string,
  options: { method: string; headers: Record<string, string>; body?: unknown },
) => Promise<Response>

/** RFC 9110 §15: these have no body, and `Response` refuses an empty one too. */
const WITHOUT_BODY: ReadonlySet<number> = new Set([204, 205, 304])

/** `fetch` by way of `send`, for a library. A redirect is an answer; one that is larger than `maxBytes` is none. */
export const fetchBy =
  (
    send: (request: OutboundRequest) => Promise<OutboundAnswer>,
    bounds: Pick<OutboundRequest, 'target' | 'timeoutMs' | 'maxBytes'>,
  ): Fetch =>
  async (url, { method, headers, body }) => {
    const given = body === undefined || body === null ? {} : { body: String(body) }
    const answer = await send({ ...bounds, url, method: method as OutboundRequest['method'], headers, ...given })
    if (answer.truncated) throw new OutboundError('protocol', `the answer has more than ${bounds.maxBytes} bytes`)
    const content = WITHOUT_BODY.has(answer.status) ? null : new Uint8Array(answer.body)
    return new Response(content, { status: answer.status, headers: entriesOf(answer) })
  }

const entriesOf = ({ headers }: OutboundAnswer): [string, string][] =>
  Object.entries(headers).flatMap(([name, values]) =>
    [values ?? []].flat().map((value): [string, string] => [name, value]),
  )
