import { type Static, Type } from '@sinclair/typebox'
import { Closed, Text } from '../../../lib/schema.ts'

const ADDRESS = '0xd8dA6BF26964aF9D7eEd9e03E53415D37aA96045'

export const CreateWalletNonce = Closed(
  {
    address: Type.String({ pattern: '^0x[0-9a-fA-F]{40}$', description: 'In any case; answers have it checksummed.' }),
    chainId: Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER, description: 'EIP-155.' }),
  },
  { title: 'CreateWalletNonce', examples: [{ address: ADDRESS, chainId: 1 }] },
)
export type CreateWalletNonce = Static<typeof CreateWalletNonce>

export const WalletNonce = Type.Object(
  {
    nonce: Type.String({ description: 'Single use, for five minutes, for this address on this chain.' }),
    message: Type.String({ description: 'An EIP-4361 message for the wallet to sign as it stands (EIP-191).' }),
  },
  { title: 'WalletNonce' },
)
export type WalletNonce = Static<typeof WalletNonce>

const proof = {
  message: Text(1, 4096),
  signature: Type.String({
    pattern: '^0x[0-9a-fA-F]{130}$',
    description: 'r, s and v of an externally owned account.',
  }),
}
const example = {
  message: `localhost:3000 wants you to sign in with your Ethereum account:\n${ADDRESS}\n\nSign in to Lintel.\n\nURI: …`,
  signature: `0x${'0'.repeat(130)}`,
}
export const WalletProof = Closed(proof, { title: 'WalletProof', examples: [example] })
export type WalletProof = Static<typeof WalletProof>

const password = Text(1, 128, { description: 'Needed once the sign-in is ten minutes old.' })
export const LinkWallet = Closed(
  { ...proof, password: Type.Optional(password) },
  { title: 'LinkWallet', examples: [example] },
)
export type LinkWallet = Static<typeof LinkWallet>
