/** One turn of a conversation. */
export interface Turn {
  role: 'user' | 'assistant'
  content: string
}

/** What a provider counted for one answer. */
export interface TokenUsage {
  inputTokens: number
  outputTokens: number
}

/** Who answers. */
export interface AiProvider {
  readonly model: string
  /** The most tokens of one answer. */
  readonly maxOutputTokens: number
  /** Cents for a million tokens. */
  readonly prices: { inputCents: number; outputCents: number }
  /** Cents that an organization may spend in a month (UTC); null for any number. */
  readonly monthlyBudgetCents: number | null
  /**
   * Yields the text of the answer as it comes, and what it used where the provider says it. Throws `AppError` for an
   * answer that failed; the text before it counts. Ends the request when `signal` aborts.
   */
  answer(turns: readonly Turn[], signal: AbortSignal): AsyncIterable<string | TokenUsage>
}
