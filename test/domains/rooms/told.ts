import type { RawSocket } from '../../helpers/live.ts'
import { eventually } from '../../helpers/mail.ts'

/** Returns the ids of the new messages that a socket was told of, once there are so many. Joining a room is an event of it too. */
export async function messagesTold(socket: RawSocket, count: number): Promise<string[]> {
  const told = () => socket.events.filter(({ event }) => event.type === 'message.created')
  await eventually(async () => told().length >= count, `${count} messages, not ${told().length}`)
  return told().map(({ event }) => (event as unknown as { target: { id: string } }).target.id)
}
