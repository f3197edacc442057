import { randomUUID } from 'node:crypto'

interface Part {
  name?: string
  filename?: string
  type?: string
  content?: string | Buffer
}

/** Returns a multipart body with one part, as a browser sends it (RFC 7578). */
export function multipart({
  name = 'file',
  filename = 'hello.txt',
  type = 'text/plain',
  content = 'hello\n',
}: Part = {}) {
  const boundary = `----${randomUUID()}`
  const escaped = filename.replace(/["\\]/g, '\\$&')
  const head = `--${boundary}\r\nContent-Disposition: form-data; name="${name}"; filename="${escaped}"\r\nContent-Type: ${type}\r\n\r\n`
  return {
    body: Buffer.concat([Buffer.from(head), Buffer.from(content), Buffer.from(`\r\n--${boundary}--\r\n`)]),
    headers: { 'content-type': `multipart/form-data; boundary=${boundary}` },
  }
}
