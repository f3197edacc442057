import { connect } from 'node:net'

/** Sends `text` unchanged over a new connection; returns everything received until it closes. */
export function exchange(base: string, text: string | string[], { endAfterMs = 1_000 } = {}): Promise<string> {
  const { hostname, port } = new URL(base)
  return new Promise((resolve, reject) => {
    const socket = connect(Number(port), hostname)
    let received = ''
    socket.setEncoding('latin1')
    socket.setTimeout(endAfterMs, () => socket.destroy())
    socket.on('data', chunk => {
      received += chunk
    })
    socket.on('close', () => resolve(received))
    socket.on('error', error => (received === '' ? reject(error) : undefined))
    for (const part of [text].flat()) socket.write(part)
  })
}

export const statusOf = (answer: string): number => Number(/^HTTP\/1\.1 (\d{3})/.exec(answer)?.[1])
