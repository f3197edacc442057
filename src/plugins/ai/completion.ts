import { createParser } from 'eventsource-parser'
import type { TokenUsage } from '../../lib/ai-provider.ts'
import { answerErrors } from '../../lib/answer-errors.ts'

/** One event of a completion; everything in it may be missing. */
interface Chunk {
  choices?: ({ delta?: { content?: unknown }; finish_reason?: unknown } | null)[]
  usage?: { prompt_tokens?: unknown; completion_tokens?: unknown } | null
  error?: unknown
}

const DONE = '[DONE]'
/** More than any event of a completion has. */
const MAX_EVENT_CHARACTERS = 1_048_576
const MAX_TOKENS = 2_147_483_647

/**
 * Yields text and usage from the bytes of a streamed completion. Throws unless it says both why it is finished and that
 * it is done: a connection that just ends looks like an end.
 */
export async function* completionOf(body: AsyncIterable<Buffer>): AsyncGenerator<string | TokenUsage> {
  const decoder = new TextDecoder()
  const events: string[] = []
  const parser = createParser({
    maxBufferSize: MAX_EVENT_CHARACTERS,
    onEvent: ({ data }) => void events.push(data),
    onError({ type }) {
      if (type === 'max-buffer-size-exceeded') throw unreadable()
    },
  })
  let finish: unknown
  let isDone = false
  for await (const bytes of body) {
    parser.feed(decoder.decode(bytes, { stream: true }))
    for (const data of events.splice(0)) {
      if (data === DONE) isDone = true
      else finish = (yield* partsOf(chunkOf(data))) ?? finish
    }
    if (isDone) break
  }
  if (!isDone || finish === undefined) throw answerErrors.answer_incomplete()
  if (finish === 'length') throw answerErrors.answer_too_long()
  if (finish === 'content_filter') throw answerErrors.answer_withheld()
}

const unreadable = () => answerErrors.assistant_failed({ detail: 'the provider sent what is no completion' })

function chunkOf(data: string): Chunk {
  try {
    const chunk: unknown = JSON.parse(data)
    if (typeof chunk === 'object' && chunk !== null) return chunk
  } catch {
    // Falls through: it is no JSON.
  }
  throw unreadable()
}

/** Yields what a chunk contains; returns why the answer is finished, if it says so. */
function* partsOf({ choices, usage, error }: Chunk): Generator<string | TokenUsage, unknown> {
  if (error !== undefined && error !== null)
    throw answerErrors.assistant_failed({ detail: 'the provider reported an error in its answer' })
  const [choice] = Array.isArray(choices) ? choices : []
  const content = choice?.delta?.content
  if (typeof content === 'string' && content !== '') yield content
  const [inputTokens, outputTokens] = [tokensOf(usage?.prompt_tokens), tokensOf(usage?.completion_tokens)]
  if (inputTokens !== undefined && outputTokens !== undefined) yield { inputTokens, outputTokens }
  return choice?.finish_reason ?? undefined
}

const tokensOf = (value: unknown): number | undefined =>
  Number.isInteger(value) && (value as number) >= 0 && (value as number) <= MAX_TOKENS ? (value as number) : undefined
