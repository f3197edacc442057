import { createHmac } from 'node:crypto'
import { readFileSync } from 'node:fs'
import t from 'tap'
import type { SigningKey } from '../../src/lib/signing-keys.ts'
import { createUser } from '../helpers/actors.ts'
import { anotherNode, testApp } from '../helpers/app.ts'
import { call } from '../helpers/call.ts'

interface Vector {
  tcId: number
  comment: string
  result: 'valid' | 'invalid'
  jws: string
}
interface Group {
  comment: string
  key: { kid: string; k?: string }
  tests: Vector[]
}

/** Signatures that other libraries verified wrongly. Their payloads are not claims, so even valid ones are not tokens here. */
const { groups } = JSON.parse(readFileSync(new URL('wycheproof.json', import.meta.url), 'utf8')) as { groups: Group[] }

const test = await testApp(t)
const user = await createUser(test)
const [own] = test.config.signingKeys as [SigningKey]

/** Starts the app with the key of the group, or with a key of its own under the same id if the algorithm is another one. */
function nodeOf({ key: { kid, k } }: Group) {
  const secret = k === undefined ? own.secret : Buffer.from(k, 'base64url')
  return anotherNode(t, test, { signingKeys: [{ ...own, kid, secret } as SigningKey] })
}

type Node = Awaited<ReturnType<typeof nodeOf>>
const statusOf = async (node: Node, token: string) =>
  (await call(node, 'GET /users/me', { headers: { authorization: `Bearer ${token}` } })).status

for (const group of groups) {
  t.test(`${group.comment}: no vector is a token to who has its key`, async t => {
    const node = await nodeOf(group)
    for (const { tcId, comment, jws } of group.tests) t.equal(await statusOf(node, jws), 401, `${tcId} ${comment}`)
  })
}

const split = (jws: string) => {
  const at = jws.lastIndexOf('.')
  return { input: jws.slice(0, at), signature: jws.slice(at + 1) }
}

for (const group of groups.filter(({ key }) => key.k !== undefined)) {
  const mac = (input: string) =>
    createHmac('sha256', Buffer.from(group.key.k as string, 'base64url'))
      .update(input)
      .digest('base64url')
  const sound = group.tests.filter(
    ({ result, jws }) => result === 'valid' && mac(split(jws).input) === split(jws).signature,
  )

  /** Applies the change between a valid vector and this one to our token; signs the result if the vector's signature is valid. */
  const doneTo = (token: string, jws: string): string => {
    const ours = token.split('.')
    const taken = sound.flatMap(({ jws }) => jws.split('.').map((part, at) => [part, ours[at] as string] as const))
    const moved = taken.reduce((text, [theirs, our]) => text.replace(theirs, our), jws)
    const { input, signature } = split(jws)
    return mac(input) === signature ? `${split(moved).input}.${mac(split(moved).input)}` : moved
  }

  t.test(`${group.comment}: what a vector does to a signature, done to a token, leaves no token`, async t => {
    const node = await nodeOf(group)
    const token = node.signAccessToken({ userId: user.id, sessionId: user.sessionId, role: 'user' })
    t.equal(await statusOf(node, token), 200, 'a token under this key is good')
    let spoilt = 0
    for (const { tcId, comment, jws } of group.tests) {
      const attempt = doneTo(token, jws)
      if (attempt !== token) spoilt++
      t.equal(await statusOf(node, attempt), attempt === token ? 200 : 401, `${tcId} ${comment}`)
    }
    t.ok(spoilt > group.tests.length / 2, `${spoilt} of ${group.tests.length} were spoilt`)
  })
}
