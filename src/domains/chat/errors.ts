import { defineErrors } from '../../lib/errors.ts'

export const chatErrors = defineErrors({
  chat_busy: {
    status: 409,
    title: 'The chat has a running answer',
    constraint: 'chat_messages_running_key',
    help: 'A chat has one running answer at a time. Read it at `GET /chats/:id/stream`, or stop it by `POST /chats/:id/stop`; then ask again.',
  },
  chat_budget_exhausted: {
    status: 429,
    title: 'The budget of the month is exhausted',
    help: 'What the organization has spent on answers in this month (UTC), with the most that the running ones may cost, leaves too little for another. Wait for the next month or for running answers to end, or have the operator raise `AI_MONTHLY_BUDGET_CENTS`.',
  },
  answer_interrupted: {
    status: 503,
    title: 'The answer was interrupted',
    retryAfter: 1,
    help: 'The process that wrote the answer has ended before it was complete. What was stored is kept in the chat. Ask again.',
  },
  answer_failed: {
    status: 500,
    title: 'The answer failed',
    help: 'A fault on our side ended the answer, and is in our logs. What was stored is kept in the chat. Ask again.',
  },
})
