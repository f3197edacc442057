import { createServer } from 'node:http'
import { Webhook } from 'standardwebhooks'

/** Receives webhooks: `WEBHOOK_SECRET=whsec_… node receiver.mjs`, on `PORT` or 4000. */
const webhook = new Webhook(process.env.WEBHOOK_SECRET ?? '')
const MAX_BYTES = 1_048_576
/** An event may come twice. A real receiver remembers ids in its database, in the transaction of the work. */
const seen = new Set()

const server = createServer(async (request, response) => {
  const chunks = []
  let bytes = 0
  for await (const chunk of request) {
    bytes += chunk.length
    if (bytes > MAX_BYTES) return response.writeHead(413).end()
    chunks.push(chunk)
  }
  try {
    // The signature is of the bytes as they came: JSON that was parsed and written again may differ.
    const event = webhook.verify(Buffer.concat(chunks).toString(), request.headers)
    const id = request.headers['webhook-id']
    if (!seen.has(id)) console.log(`${event.type} ${JSON.stringify(event.data)}`)
    seen.add(id)
    response.writeHead(204).end()
  } catch {
    response.writeHead(400).end('not signed with the secret of this webhook\n')
  }
})
server.listen(Number(process.env.PORT ?? 4000), 'localhost')
