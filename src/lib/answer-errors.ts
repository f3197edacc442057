import { defineErrors } from './errors.ts'

/** How the answer of an assistant fails at its provider. They end a stream that has begun. */
export const answerErrors = defineErrors({
  answer_too_long: {
    status: 422,
    title: 'The answer was cut off',
    help: 'The answer has reached the most tokens or characters that one may have. What was written until then is kept in the chat. Ask for the rest, or for a shorter answer.',
  },
  answer_withheld: {
    status: 422,
    title: 'The answer was withheld',
    help: 'The provider of the assistant has filtered the answer by its rules for content. Ask in another way.',
  },
  answer_incomplete: {
    status: 502,
    title: 'The answer has no end',
    help: 'The provider of the assistant broke off before it said that the answer is complete. What was written until then is kept in the chat. Ask again.',
  },
  assistant_failed: {
    status: 502,
    title: 'The assistant failed',
    help: 'The provider of the assistant could not be reached, refused the request or answered with an error; `detail` says which. Ask again later; if it stays, tell the operator.',
  },
  assistant_busy: {
    status: 503,
    title: 'The assistant is busy',
    help: 'The provider of the assistant takes no more requests for the moment. Ask again after the seconds in `retryAfterSeconds`.',
  },
  assistant_silent: {
    status: 504,
    title: 'The assistant is silent',
    help: 'The provider of the assistant has sent nothing for longer than it may, or its answer took longer than ten minutes. What was written until then is kept in the chat. Ask again.',
  },
})
