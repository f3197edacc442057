import { createReadStream, statSync } from 'node:fs'
import { createServer } from 'node:http'
import { pipeline } from 'node:stream'

// The fastest server that anyone would write by hand for downloads: it pipes the file whose path is that of the request.

createServer(({ url = '/' }, response) => {
  if (url === '/health/ready') return void response.end()
  const path = url.slice(1)
  response.writeHead(200, { 'content-length': statSync(path).size })
  pipeline(createReadStream(path), response, () => {})
}).listen(Number(process.env.PORT), '127.0.0.1')
