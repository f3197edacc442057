import { mock } from 'node:test'
import t from 'tap'
import { LogBuffer } from '../../src/lib/log-buffer.ts'

t.test('every line arrives whole and in order, whatever its length and letters', async t => {
  mock.timers.enable({ apis: ['setInterval'] })
  t.teardown(() => mock.timers.reset())
  const pieces: Buffer[] = []
  let flushed = 0
  const log = new LogBuffer({ write: bytes => pieces.push(bytes), flushSync: () => flushed++ })
  const lines = Array.from({ length: 2_000 }, (_, n) => `${n} ${'wörter — 木 😀'.repeat(n % 40)}\n`)
  lines.splice(1_000, 0, `${'ü'.repeat(100_000)}\n`)
  for (const line of lines) log.write(line)
  log.flushSync()
  t.equal(Buffer.concat(pieces).toString(), lines.join(''))
  t.equal(flushed, 1)
  t.ok(pieces.length < 100, 'in large pieces')

  log.write('last\n')
  mock.timers.tick(500)
  t.equal(pieces.at(-1)?.toString(), 'last\n', 'a lone line waits for half a second at most')
})
