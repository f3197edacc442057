import pg from 'pg'

/** Commits on one connection run one after another; eight connections share each flush of the WAL. */
const WRITERS = 8
const { TIMESTAMPTZ } = pg.types.builtins
const WITH_MILLISECONDS = '2026-01-31 12:00:00.123+00'.length

export type Answer = (error: Error | null, result: { rows: string[][] }) => void
export type Send = (name: string, text: string, values: unknown[], answer: Answer) => void

function isoText(time: string): string {
  if (time.length === WITH_MILLISECONDS) return `${time.slice(0, 10)}T${time.slice(11, 23)}Z`
  const [whole = '', fraction = ''] = time.slice(0, -'+00'.length).split('.')
  return `${whole.replace(' ', 'T')}.${fraction.padEnd(3, '0')}Z`
}

const asIs = (value: string) => value
const types: pg.CustomTypesConfig = { getTypeParser: (oid: number) => (oid === TIMESTAMPTZ ? isoText : asIs) }

const sendOn =
  (client: pg.Client): Send =>
  (name, text, values, answer) =>
    client.query({ name, text, values, rowMode: 'array', types }, answer as never)

/** Opens one client that sends each query without waiting for the answer of the one before it. */
export async function openReads(options: pg.ClientConfig): Promise<Send> {
  const client = new pg.Client({ ...options, pipeline: true } as pg.ClientConfig)
  await client.connect()
  return sendOn(client)
}

/** Opens a few clients with one queue. */
export async function openWrites(options: pg.ClientConfig): Promise<Send> {
  const clients = Array.from({ length: WRITERS }, () => new pg.Client(options))
  await Promise.all(clients.map(client => client.connect()))
  const free = clients.map(sendOn)
  const waiting: Parameters<Send>[] = []

  const run = (on: Send, [name, text, values, answer]: Parameters<Send>) =>
    on(name, text, values, (error, result) => {
      const next = waiting.shift()
      if (next) run(on, next)
      else free.push(on)
      answer(error, result)
    })
  return (...query) => {
    const on = free.pop()
    if (on) run(on, query)
    else waiting.push(query)
  }
}
