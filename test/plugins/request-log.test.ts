import pino from 'pino'
import t from 'tap'
import { requestLog } from '../../src/plugins/request-log.ts'

t.test(
  'every line of a request carries its id, at every level and in a child; without a line no logger is made',
  async t => {
    const lines: Record<string, unknown>[] = []
    const parent = pino({ level: 'trace' }, { write: (line: string) => lines.push(JSON.parse(line)) })
    let made = 0
    parent.onChild = () => made++

    const log = requestLog(parent, { reqId: 'a' }, {})
    t.equal(made, 0)
    for (const level of ['trace', 'debug', 'info', 'warn', 'error', 'fatal'] as const) log[level]({ n: 1 }, level)
    t.equal(made, 1)
    log.child({ part: 'b' }).info('child')
    log.silent('never')
    t.equal(log.level, 'trace')
    t.same(
      lines.map(({ reqId, msg, n, part }) => [reqId, msg, n, part]),
      [
        ...['trace', 'debug', 'info', 'warn', 'error', 'fatal'].map(level => ['a', level, 1, undefined]),
        ['a', 'child', undefined, 'b'],
      ],
    )
  },
)
