import type { FastifyInstance } from 'fastify'
import type { Address, PublicClient } from 'viem'
import { AppError, invalidParameter } from '../../../lib/errors.ts'
import { walletErrors } from '../errors.ts'
import type { Balances } from '../schemas.ts'

const TIMEOUT_MS = 5000
const MAX_ANSWER_BYTES = 262_144
/** The same address on every chain that has it. */
const MULTICALL = '0xcA11bde05977b3631167028862bE2a173976CA11'
const NATIVE_DECIMALS = 18
/** A symbol is foreign text; a longer one is cut. */
const SYMBOL_CHARACTERS = 32

/** Loaded with the first request: it takes up to 28 MB of memory and 0.2 s. */
const ethereum = () => import('viem')
type Ethereum = Awaited<ReturnType<typeof ethereum>>

/** Reads balances from the node of a chain. */
export class Chain {
  readonly #url: string
  readonly #outbound: FastifyInstance['outbound']
  #client: PublicClient | undefined
  #chainId: Promise<number> | undefined

  constructor(url: string, { outbound }: FastifyInstance) {
    this.#url = url
    this.#outbound = outbound
  }

  /** Reads all balances at one block. Throws `chain_failed`, `validation_failed`. */
  async balancesOf(address: Address, tokens: readonly Address[]): Promise<Balances> {
    const library = await ethereum()
    const client = this.#connect(library)
    try {
      this.#chainId ??= client.getChainId().catch(error => {
        this.#chainId = undefined
        throw error
      })
      const contracts = callsFor(library, address, tokens)
      const [chainId, results] = await Promise.all([
        this.#chainId,
        client.multicall({ contracts, multicallAddress: MULTICALL, batchSize: 0 }),
      ])
      return { address, chainId, ...read(library, tokens, results as Result[]) }
    } catch (error) {
      throw faultOf(error)
    }
  }

  #connect({ createPublicClient, http }: Ethereum): PublicClient {
    const bounds = { target: 'chain', timeoutMs: TIMEOUT_MS, maxBytes: MAX_ANSWER_BYTES }
    const fetchFn = this.#outbound.fetch(bounds) as unknown as typeof fetch
    // The time limit is that of `outbound`, whose error says what happened.
    const transport = http(this.#url, { fetchFn, timeout: 0, retryCount: 0, batch: true })
    this.#client ??= createPublicClient({ transport }) as PublicClient
    return this.#client
  }
}

/**
 * Returns what the caller sees of an error. Those of the library name the URL of the node, which is no business of the
 * caller and must not be logged, so none is a cause.
 */
function faultOf(error: unknown): Error {
  if (error instanceof AppError && error.status < 500) return error
  return walletErrors.chain_failed()
}

type Result = { status: 'success'; result: bigint | number | string } | { status: 'failure' }
const CALLS_PER_TOKEN = 3

function callsFor({ erc20Abi, multicall3Abi }: Ethereum, address: Address, tokens: readonly Address[]) {
  return [
    { address: MULTICALL, abi: multicall3Abi, functionName: 'getEthBalance', args: [address] },
    ...tokens.flatMap(token => [
      { address: token, abi: erc20Abi, functionName: 'balanceOf', args: [address] },
      { address: token, abi: erc20Abi, functionName: 'decimals' },
      { address: token, abi: erc20Abi, functionName: 'symbol' },
    ]),
  ] as Parameters<PublicClient['multicall']>[0]['contracts']
}

function read({ formatUnits }: Ethereum, tokens: readonly Address[], results: readonly Result[]) {
  const [native] = results
  if (native?.status !== 'success') throw new Error('the chain has no Multicall3')
  const counted = (balance: bigint, decimals: number) => ({
    decimals,
    balance: String(balance),
    amount: formatUnits(balance, decimals),
  })
  return {
    native: counted(native.result as bigint, NATIVE_DECIMALS),
    tokens: tokens.map((token, at) => {
      const [balance, decimals, symbol] = results.slice(1 + at * CALLS_PER_TOKEN)
      if (balance?.status !== 'success' || decimals?.status !== 'success')
        throw invalidParameter('token', `${token} is not an ERC-20 token of this chain`)
      const name = symbol?.status === 'success' ? String(symbol.result).slice(0, SYMBOL_CHARACTERS) : null
      return { token, symbol: name, ...counted(balance.result as bigint, Number(decimals.result)) }
    }),
  }
}
