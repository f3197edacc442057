import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { json } from 'node:stream/consumers'
import {
  type Address,
  decodeFunctionData,
  encodeFunctionResult,
  erc20Abi,
  getAddress,
  type Hex,
  multicall3Abi,
  toHex,
} from 'viem'

interface Token {
  decimals: number
  /** Without it the call fails. */
  symbol?: string
  balances: Record<Address, bigint>
}
interface Call {
  id: number
  method: string
  params: [{ to: Address; data: Hex }]
}

/** A JSON-RPC node of a chain with Multicall3, on loopback, whose balances can be changed. */
export interface FakeChain {
  url: string
  coins: Record<Address, bigint>
  tokens: Record<Address, Token>
  /** The methods of each request, in order. */
  requests: string[][]
  /** Answers in place of the node, unless it returns false. */
  intercept: ((request: IncomingMessage, response: ServerResponse) => boolean) | null
}

const CHAIN_ID = 31_337
const FAILED = { success: false, returnData: '0x' } as const

export async function startChain(t: { teardown(done: () => Promise<void>): void }): Promise<FakeChain> {
  const server = createServer()
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  t.teardown(async () => {
    server.closeAllConnections()
    await new Promise(resolve => server.close(resolve))
  })
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/canary-key-of-the-node`
  const chain: FakeChain = { url, coins: {}, tokens: {}, requests: [], intercept: null }
  server.on('request', async (request: IncomingMessage, response: ServerResponse) => {
    if (chain.intercept?.(request, response)) return
    const sent = (await json(request)) as Call | Call[]
    chain.requests.push([sent].flat().map(({ method }) => method))
    const answers = [sent].flat().map(call => ({ jsonrpc: '2.0', id: call.id, result: resultOf(chain, call) }))
    response
      .setHeader('content-type', 'application/json')
      .end(JSON.stringify(Array.isArray(sent) ? answers : answers[0]))
  })
  return chain
}

function resultOf(chain: FakeChain, { method, params }: Call): Hex {
  if (method === 'eth_chainId') return toHex(CHAIN_ID)
  const { functionName, args } = decodeFunctionData({ abi: multicall3Abi, data: params[0].data })
  if (functionName !== 'aggregate3') throw new Error(`the fake chain has no ${functionName}`)
  const result = args[0].map(({ target, callData }) => callOf(chain, getAddress(target), callData))
  return encodeFunctionResult({ abi: multicall3Abi, functionName, result })
}

function callOf({ coins, tokens }: FakeChain, target: Address, data: Hex) {
  const token = tokens[target]
  const done = (returnData: Hex) => ({ success: true, returnData })
  if (!token) {
    try {
      const { functionName, args } = decodeFunctionData({ abi: multicall3Abi, data })
      if (functionName !== 'getEthBalance') return FAILED
      return done(encodeFunctionResult({ abi: multicall3Abi, functionName, result: coins[args[0]] ?? 0n }))
    } catch {
      // An address without a contract takes every call and returns nothing.
      return done('0x')
    }
  }
  const { functionName, args } = decodeFunctionData({ abi: erc20Abi, data })
  if (functionName === 'balanceOf')
    return done(encodeFunctionResult({ abi: erc20Abi, functionName, result: token.balances[args[0]] ?? 0n }))
  if (functionName === 'decimals')
    return done(encodeFunctionResult({ abi: erc20Abi, functionName, result: token.decimals }))
  if (functionName === 'symbol' && token.symbol !== undefined)
    return done(encodeFunctionResult({ abi: erc20Abi, functionName, result: token.symbol }))
  return FAILED
}
