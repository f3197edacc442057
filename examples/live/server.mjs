import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { stripTypeScriptTypes } from 'node:module'

/** Serves the page and the client that it imports: `node server.mjs`, on `PORT` or 8080. Needs Node.js 22.13 or later. */
const FILES = {
  '/': { file: new URL('index.html', import.meta.url), type: 'text/html; charset=utf-8' },
  '/live.ts': { file: new URL('../../clients/live/live.ts', import.meta.url), type: 'text/javascript' },
  '/posts.ts': { file: new URL('../../clients/live/posts.ts', import.meta.url), type: 'text/javascript' },
  '/closing.ts': { file: new URL('../../clients/live/closing.ts', import.meta.url), type: 'text/javascript' },
}

const server = createServer(async ({ url }, response) => {
  const found = FILES[new URL(url, 'http://localhost').pathname]
  if (!found) return response.writeHead(404).end()
  const text = await readFile(found.file, 'utf8')
  response.writeHead(200, { 'content-type': found.type })
  response.end(found.type === 'text/javascript' ? stripTypeScriptTypes(text) : text)
})
server.listen(Number(process.env.PORT ?? 8080), 'localhost')
