import type { AiProvider, TokenUsage, Turn } from '../../lib/ai-provider.ts'
import { answerErrors } from '../../lib/answer-errors.ts'
import type { AppError } from '../../lib/errors.ts'
import { retryAfterMs } from '../../lib/retry-after.ts'
import type { OutboundClient } from '../outbound/client.ts'
import { OutboundError } from '../outbound/errors.ts'
import type { OutboundStream } from '../outbound/messages.ts'
import { completionOf } from './completion.ts'

interface OpenAiOptions extends Pick<AiProvider, 'model' | 'maxOutputTokens' | 'prices' | 'monthlyBudgetCents'> {
  baseUrl: string
  apiKey: string | null
  /** The longest silence, before the answer and in it. */
  timeoutMs: number
}

/** A provider that drips for ever is left after this time. */
const WHOLE_ANSWER_MS = 600_000
/** OpenAI's own models refuse `max_tokens`, which most servers that speak its protocol want. */
const OPENAI = /^https:\/\/api\.openai\.com(\/|$)/

/** Asks a provider that speaks the protocol of OpenAI: `POST /chat/completions` with `stream`. */
export class OpenAi implements AiProvider {
  readonly #client: OutboundClient
  readonly #options: OpenAiOptions
  readonly model: string
  readonly maxOutputTokens: number
  readonly prices: AiProvider['prices']
  readonly monthlyBudgetCents: number | null

  constructor(client: OutboundClient, options: OpenAiOptions) {
    this.#client = client
    this.#options = options
    this.model = options.model
    this.maxOutputTokens = options.maxOutputTokens
    this.prices = options.prices
    this.monthlyBudgetCents = options.monthlyBudgetCents
  }

  async *answer(turns: readonly Turn[], signal: AbortSignal): AsyncGenerator<string | TokenUsage> {
    const limit = AbortSignal.timeout(WHOLE_ANSWER_MS)
    try {
      const response = await this.#ask(turns, AbortSignal.any([signal, limit]))
      if (response.status !== 200) throw refusalOf(response)
      yield* completionOf(response.body)
    } catch (error) {
      throw limit.aborted ? answerErrors.assistant_silent() : asAnswerError(error)
    }
  }

  #ask(messages: readonly Turn[], signal: AbortSignal): Promise<OutboundStream> {
    const { baseUrl, apiKey, model, maxOutputTokens, timeoutMs } = this.#options
    const limit = OPENAI.test(baseUrl) ? 'max_completion_tokens' : 'max_tokens'
    const request = { model, messages, stream: true, stream_options: { include_usage: true }, [limit]: maxOutputTokens }
    return this.#client.stream({
      target: 'assistant',
      url: `${baseUrl}/chat/completions`,
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        accept: 'text/event-stream',
        ...(apiKey === null ? {} : { authorization: `Bearer ${apiKey}` }),
      },
      body: JSON.stringify(request),
      signal,
      silenceMs: timeoutMs,
    })
  }
}

const BUSY = [429, 503]
const USUAL_WAIT_MS = 10_000

/** The body of a refusal is not shown: it may repeat the key. */
function refusalOf({ status, headers }: OutboundStream): AppError {
  const detail = `the provider answered ${status}`
  if (!BUSY.includes(status)) return answerErrors.assistant_failed({ detail })
  const seconds = Math.ceil((retryAfterMs(headers['retry-after']) ?? USUAL_WAIT_MS) / 1_000)
  return answerErrors.assistant_busy({ detail, headers: { 'retry-after': String(seconds) } })
}

/** A connection that broke in the middle leaves the answer without its end; every other failure has none at all. */
function asAnswerError(error: unknown): unknown {
  if (!(error instanceof OutboundError)) return error
  const { kind, reason: detail } = error
  if (kind === 'timeout') return answerErrors.assistant_silent({ detail, cause: error })
  const failure = kind === 'reset' ? answerErrors.answer_incomplete : answerErrors.assistant_failed
  return failure({ detail, cause: error })
}
