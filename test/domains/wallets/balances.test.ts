import t from 'tap'
import { Recent } from '../../../src/domains/wallets/service/recent.ts'
import { newId } from '../../../src/lib/ids.ts'
import { createUsers, type TestUser } from '../../helpers/actors.ts'
import { anotherNode, testApp } from '../../helpers/app.ts'
import { call } from '../../helpers/call.ts'
import { startChain } from '../../helpers/chain.ts'
import { newWallet } from '../../helpers/wallet.ts'

const chain = await startChain(t)
const test = await testApp(t, { rpcUrl: chain.url, outboundAllow: ['127.0.0.1'] })
const { app, sql } = test
const [user, stranger] = await createUsers(test, {}, {})
const [usdc, nameless] = [newWallet().address, newWallet().address]
const HUGE = 2n ** 256n - 1n

/** Links a new wallet to the user; each test has its own, because answers are kept for ten seconds. */
async function linked(owner: TestUser = user) {
  const { address } = newWallet()
  await sql(`insert into identities (id, user_id, provider, subject) values ($1, $2, 'wallet', $3)`, [
    newId(),
    owner.id,
    address,
  ])
  chain.coins[address] = 1_500_000_000_000_000_000n
  chain.tokens = {
    [usdc]: { decimals: 6, symbol: 'USDC', balances: { [address]: 1_250_000n } },
    [nameless]: { decimals: 0, balances: { [address]: HUGE } },
  }
  chain.requests.length = 0
  return address
}

t.test('a wallet is listed by its user, and nobody else', async t => {
  const address = await linked()
  const { body } = await call(app, 'GET /wallets', { as: user })
  t.ok(body.data.some((wallet: { address: string }) => wallet.address === address))
  t.same((await call(app, 'GET /wallets', { as: stranger })).body.data, [])
})

t.test('the coin and tokens of a linked wallet are read together, exactly', async t => {
  const address = await linked()
  const path = `GET /wallets/${address}/balances?token=${usdc}&token=${nameless.toLowerCase()}`
  const { status, body, text } = await call(app, path, { as: user })
  t.equal(status, 200, text)
  t.same(body, {
    address,
    chainId: 31_337,
    native: { decimals: 18, balance: '1500000000000000000', amount: '1.5' },
    tokens: [
      { token: usdc, symbol: 'USDC', decimals: 6, balance: '1250000', amount: '1.25' },
      { token: nameless, symbol: null, decimals: 0, balance: String(HUGE), amount: String(HUGE) },
    ],
  })
  t.same(chain.requests.flat().toSorted(), ['eth_call', 'eth_chainId'], 'one call, whatever the number of tokens')
})

t.test('the same question is asked once in ten seconds, also by many at once', async t => {
  const address = await linked()
  const ask = (written: string) => call(app, `GET /wallets/${written}/balances?token=${usdc}`, { as: user })
  const answers = await Promise.all([ask(address), ask(address), ask(address.toLowerCase())])
  chain.coins[address] = 0n
  answers.push(await ask(address))
  for (const { status, body } of answers)
    t.match({ status, amount: body.native.amount }, { status: 200, amount: '1.5' })
  t.equal(chain.requests.filter(methods => methods.includes('eth_call')).length, 1)
})

t.test('an answer is kept for its time, and an error is not', async t => {
  let now = 1
  let asked = 0
  t.intercept(Date, 'now', { value: () => now })
  const recent = new Recent<number>(10_000)
  const ask = async () => ++asked
  t.equal(await recent.get('a', ask), 1)
  now = 10_000
  t.equal(await recent.get('a', ask), 1)
  t.equal(await recent.get('b', ask), 2)
  now = 10_001
  t.equal(await recent.get('a', ask), 3)
  await t.rejects(recent.get('c', () => Promise.reject(new Error('down'))))
  t.equal(await recent.get('c', ask), 4)
})

t.test('a wallet of somebody else, or of nobody, is not found, and the node is not asked', async t => {
  const address = await linked(stranger)
  for (const wallet of [address, newWallet().address])
    t.match(await call(app, `GET /wallets/${wallet}/balances`, { as: user }), {
      status: 404,
      body: { code: 'not_found' },
    })
  t.equal((await call(app, `GET /wallets/${address}/balances`)).status, 401)
  t.same(chain.requests, [])
})

t.test('what is no address or no token is refused', async t => {
  const address = await linked()
  const path = `GET /wallets/${address}/balances`
  for (const query of ['token=1', `token=${usdc}0`, Array(21).fill(`token=${usdc}`).join('&')])
    t.match(await call(app, `${path}?${query}`, { as: user }), {
      status: 422,
      body: { errors: [{ parameter: 'token' }] },
    })
  t.equal((await call(app, 'GET /wallets/vitalik.eth/balances', { as: user })).status, 422)
  t.same(chain.requests, [])
  const { status, body } = await call(app, `${path}?token=${newWallet().address}`, { as: user })
  t.match({ status, body }, { status: 422, body: { errors: [{ parameter: 'token', detail: /not an ERC-20/ }] } })
})

t.test('a node that fails is a problem without the URL, and is asked again', async t => {
  const address = await linked()
  const path = `GET /wallets/${address}/balances`
  const answers: [string, NonNullable<typeof chain.intercept>][] = [
    ['closes', (request, _response) => Boolean(request.socket.destroy())],
    ['fails', (_request, response) => Boolean(response.writeHead(500).end('down'))],
    ['answers no JSON', (_request, response) => Boolean(response.end('<html>'))],
    ['answers nothing', (_request, response) => Boolean(response.end('[]'))],
    [
      'answers an error',
      (_request, response) => Boolean(response.end('{"jsonrpc":"2.0","error":{"code":-32000,"message":"no"}}')),
    ],
    ['answers too much', (_request, response) => Boolean(response.end('x'.repeat(300_000)))],
  ]
  for (const [name, intercept] of answers) {
    chain.intercept = intercept
    const { status, body, text } = await call(app, path, { as: user })
    t.match({ status, code: body.code }, { status: 502, code: 'chain_failed' }, `a node that ${name}: ${text}`)
    t.notMatch(text, /canary|127\.0\.0\.1/)
  }
  chain.intercept = null
  t.equal((await call(app, path, { as: user })).status, 200)
})

t.test('a node that does not answer is given up after five seconds', async t => {
  const address = await linked()
  chain.intercept = () => true
  const { status, body } = await call(app, `GET /wallets/${address}/balances`, { as: user })
  t.match({ status, code: body.code }, { status: 502, code: 'chain_failed' })
  chain.intercept = null
})

t.test('without a node there are no balances, and linked wallets all the same', async t => {
  const address = await linked()
  const without = await anotherNode(t, test, { rpcUrl: null })
  t.match(await call(without, `GET /wallets/${address}/balances`, { as: user }), {
    status: 404,
    body: { code: 'chain_not_configured' },
  })
  t.equal((await call(without, 'GET /wallets', { as: user })).status, 200)
})
