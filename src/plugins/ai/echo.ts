import { setTimeout as sleep } from 'node:timers/promises'
import type { AiProvider, TokenUsage, Turn } from '../../lib/ai-provider.ts'

/** The pace of a quick model: 50 words a second. */
const WORD_MS = 20
const WORD = /\S+\s*/g

const wordsIn = (text: string): number => text.match(WORD)?.length ?? 0

/** Repeats the question word by word: without a provider the assistant can be tried all the same. */
export class Echo implements AiProvider {
  readonly model = 'echo'
  readonly maxOutputTokens = 20_000
  readonly prices = { inputCents: 0, outputCents: 0 }
  readonly monthlyBudgetCents = null

  async *answer(turns: readonly Turn[], signal: AbortSignal): AsyncGenerator<string | TokenUsage> {
    const question = turns.at(-1)?.content ?? ''
    for (const word of question.match(WORD) ?? []) {
      await sleep(WORD_MS, undefined, { signal })
      yield word
    }
    const inputTokens = turns.reduce((sum, { content }) => sum + wordsIn(content), 0)
    yield { inputTokens, outputTokens: wordsIn(question) }
  }
}
