import type { FastifyInstance } from 'fastify'
import type { Transaction } from '../../../database/client.ts'
import { type Caller, userIdOf, within } from '../../../events/caller.ts'
import { record } from '../../../events/record.ts'
import type { AiProvider, Turn } from '../../../lib/ai-provider.ts'
import { orNotFound, requireVersion } from '../../../lib/errors.ts'
import { newId } from '../../../lib/ids.ts'
import { chatErrors } from '../errors.ts'
import { chatMessageEvents } from '../events.ts'
import { CHARACTERS_OF_TOKEN, reserveBudget } from '../queries/answers.ts'
import { chats } from '../queries/chats.ts'
import { findRunning, insertAnswer, insertQuestion, listTurns, type MessageRow } from '../queries/messages.ts'
import type { ChatMessage } from '../schemas.ts'
import { interruptExpired, settle } from './settle.ts'

type App = Pick<FastifyInstance, 'ai' | 'database'>

/** The topic of answers that begin in this process. */
export const BEGUN = 'chat.begun'
/** How long an answer outlives the last sign of its process. It is renewed three times as often. */
export const LEASE_MS = 9_000

/** What the provider is told of a long chat: the last messages, as far as they have so many characters together. */
const MOST_TURNS = 60
const MOST_CHARACTERS = 60_000
/** A price is in cents for a million tokens, a cost in millionths of the currency. */
const MICROS_PER_CENT = 10_000
const PRICED_TOKENS = 1_000_000

interface Asked {
  question: ChatMessage
  answer: ChatMessage
}

const withoutVersion = ({ version, ...message }: MessageRow): ChatMessage => message

/** Stores a question and begins its answer in this process. Throws `chat_busy`, `chat_budget_exhausted`. */
export const ask = (
  app: App,
  caller: Caller,
  { organizationId, chatId, content }: { organizationId: string; chatId: string; content: string },
): Promise<Asked> =>
  caller.transaction(async tx => {
    await endExpired(app, tx, chatId)
    const place = { organizationId, chatId }
    const asked = { ...place, id: newId(), authorId: userIdOf(caller), content }
    const question = orNotFound(await insertQuestion(tx, asked))
    const id = newId()
    const inputTokens = tokensOf(await turnsBefore(tx, chatId, id))
    const answer = orNotFound(
      await insertAnswer(tx, {
        ...place,
        id,
        model: app.ai.model,
        inputTokens,
        reservedMicros: await reserve(app.ai, tx, organizationId, inputTokens),
        leaseMs: LEASE_MS,
      }),
    )
    await record(tx, caller, chatMessageEvents.created, question, answer)
    tx.announce(BEGUN, [answer.id])
    return { question: withoutVersion(question), answer: withoutVersion(answer) }
  })

/** A chat whose answer lost its process does not wait for the job that finds it. */
async function endExpired(app: App, tx: Transaction, chatId: string): Promise<void> {
  const running = await findRunning(tx, { chatId })
  if (running?.expired) await interruptExpired(app, tx, running.id)
}

/** Returns what was said before an answer, the oldest first, as far as the provider is told of it. */
export async function turnsBefore(on: Parameters<typeof listTurns>[0], chatId: string, before: string) {
  const turns: Turn[] = []
  let characters = 0
  for (const turn of await listTurns(on, { chatId, before, most: MOST_TURNS })) {
    characters += turn.content.length
    if (characters > MOST_CHARACTERS && turns.length > 0) break
    turns.unshift(turn)
  }
  return turns
}

const tokensOf = (turns: Turn[]): number =>
  Math.ceil(turns.reduce((sum, { content }) => sum + content.length, 0) / CHARACTERS_OF_TOKEN)

/** Returns what was reserved. Throws `chat_budget_exhausted`. */
async function reserve(ai: AiProvider, tx: Transaction, organizationId: string, inputTokens: number): Promise<number> {
  const { prices, maxOutputTokens, monthlyBudgetCents } = ai
  const cents = (inputTokens * prices.inputCents + maxOutputTokens * prices.outputCents) / PRICED_TOKENS
  const reservedMicros = Math.ceil(cents * MICROS_PER_CENT)
  const budgetMicros = monthlyBudgetCents === null ? null : monthlyBudgetCents * MICROS_PER_CENT
  const reserved = await reserveBudget(tx, { organizationId, reservedMicros, budgetMicros })
  if (!reserved) throw chatErrors.chat_budget_exhausted()
  return reservedMicros
}

/** Stops the running answer of a chat, if there is one; what is stored is kept. Throws `precondition_failed`. */
export const stopChat = (app: App, caller: Caller, chatId: string, ifMatch: number[] | null): Promise<void> =>
  caller.transaction(async tx => {
    requireVersion(orNotFound(await chats.find(tx, { id: chatId })), ifMatch)
    const running = await findRunning(tx, { chatId })
    if (running) await settle(app, tx, caller, running.id, { status: 'stopped' })
  })

/** Stops the running answer, so that its usage is counted, and deletes the chat. Throws `precondition_failed`. */
export const deleteChat = (app: App, caller: Caller, id: string, ifMatch: number[] | null): Promise<void> =>
  caller.transaction(async tx => {
    const inside = within(tx, caller)
    await stopChat(app, inside, id, ifMatch)
    await chats.delete(inside, id, ifMatch)
  })
