import { type Static, Type } from '@sinclair/typebox'
import { Closed, List, ListQuery, Nullable, Timestamp } from '../../lib/schema.ts'

/** Of one request, because they are read in one call of the node. */
const MAX_TOKENS = 20
const ADDRESS = '^0x[0-9a-fA-F]{40}$'
const WALLET_EXAMPLE = '0xd8dA6BF26964aF9D7eEd9e03E53415D37aA96045'
const TOKEN_EXAMPLE = '0xA0b86991c6218b36c1d19D4a2e9Eb0cE3606eB48'

const Wei = Type.String({
  description: 'In base units: digits, which may be more than a number can hold.',
  examples: ['1250000'],
})
const Amount = Type.String({ description: 'The balance with its decimal point.', examples: ['1.25'] })
const Decimals = Type.Integer({ description: 'Places after the decimal point.', examples: [6] })

export const Wallet = Type.Object(
  {
    address: Type.String({ description: 'The address with its checksum (EIP-55).', examples: [WALLET_EXAMPLE] }),
    createdAt: Timestamp,
  },
  { title: 'Wallet', description: 'A wallet that the user has linked.' },
)
export type Wallet = Static<typeof Wallet>
export const WalletList = List(Wallet)
export const WalletsQuery = ListQuery({}, ['createdAt'])

export const WalletPath = Closed({
  address: Type.String({ pattern: ADDRESS, description: 'The address of a linked wallet, in any case.' }),
})
export const BalancesQuery = Closed({
  token: Type.Optional(
    Type.Array(Type.String({ pattern: ADDRESS }), {
      maxItems: MAX_TOKENS,
      description: 'The contract of an ERC-20 token; repeated for several.',
    }),
  ),
})

const TokenBalance = Type.Object(
  {
    token: Type.String({ description: 'The contract, with its checksum.', examples: [TOKEN_EXAMPLE] }),
    symbol: Nullable(Type.String(), {
      description: 'What the contract calls its token, which anybody may have written; null where it says nothing.',
      examples: ['USDC'],
    }),
    decimals: Decimals,
    balance: Wei,
    amount: Amount,
  },
  { title: 'TokenBalance', description: 'What a wallet holds of a token.' },
)
export const Balances = Type.Object(
  {
    address: Type.String({ description: 'The address with its checksum.', examples: [WALLET_EXAMPLE] }),
    chainId: Type.Integer({ description: 'The chain of the node (EIP-155).', examples: [1] }),
    native: Type.Object(
      { decimals: Decimals, balance: Wei, amount: Amount },
      { title: 'NativeBalance', description: 'What the wallet holds of the chain’s own coin.' },
    ),
    tokens: Type.Array(TokenBalance, { description: 'In the order of the request.' }),
  },
  { title: 'Balances', description: 'What a wallet holds, all at one block.' },
)
export type Balances = Static<typeof Balances>
