import t from 'tap'
import { FollowedRoom } from '../../../src/domains/rooms/service/followed-room.ts'

function roomOf(...users: (string | null)[]) {
  const room = new FollowedRoom()
  const told: string[] = []
  for (const userId of users)
    room.followers.add({
      userId,
      presence: ({ present, absent }) => void told.push(`+${present} -${absent}`),
      typing: () => {},
    })
  return { room, told }
}

t.test('who is present at a process that dies is forgotten when it is not repeated', async t => {
  const { room, told } = roomOf('me')
  room.believe('other', 'node', 25_000)
  room.tell()
  room.forget(24_999)
  room.tell()
  room.believe('other', 'node', 30_000)
  room.forget(29_999)
  room.tell()
  room.forget(30_001)
  room.tell()
  t.same(told, ['+other -', '+ -other'])
})

t.test('a user is absent only when no process has one of the sockets', async t => {
  const { room, told } = roomOf(null)
  room.count('user', 1)
  room.believe('user', 'a', 10)
  room.believe('user', 'b', 20)
  room.tell()
  room.count('user', -1)
  room.believe('user', 'a', undefined)
  room.tell()
  room.forget(21)
  room.tell()
  t.same(told, ['+user -', '+ -user'])
})
