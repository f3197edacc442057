import { defineErrors } from '../../lib/errors.ts'

export const roomErrors = defineErrors({
  not_in_room: {
    status: 409,
    title: 'You have not joined the room',
    help: 'Only users who have joined a room write into it, react in it and have a read marker. Join it with `POST /rooms/:id/join`, then send the request again.',
  },
  not_the_writer: {
    status: 403,
    title: 'Only the author of the message can do that',
    help: 'A message is edited by its author, and deleted by its author, an admin of the organization or a moderator. Ask one of them.',
  },
  client_id_reused: {
    status: 422,
    title: 'The client id names another message',
    help: 'A message with this `clientId` is in the room already, and has another author, text or `replyToId`. Use a new id for each message, and the same only to send the same message again.',
  },
  too_many_reactions: {
    status: 409,
    title: 'The message has as many kinds of reactions as it may have',
    help: 'A message holds 20 different reactions. React with one of those that it has.',
  },
})
