import { type Static, Type } from '@sinclair/typebox'
import { Closed, GivenPassword, Text } from '../../../lib/schema.ts'

const ADDRESS = '0xd8dA6BF26964aF9D7eEd9e03E53415D37aA96045'
const MESSAGE = `localhost:3000 wants you to sign in with your Ethereum account:\n${ADDRESS}\n\nSign in to Lintel.\n\nURI: …`

export const CreateWalletNonce = Closed(
  {
    address: Type.String({
      pattern: '^0x[0-9a-fA-F]{40}$',
      description: 'The address of the wallet, in any case; answers have it checksummed.',
    }),
    chainId: Type.Integer({
      minimum: 1,
      maximum: Number.MAX_SAFE_INTEGER,
      description: 'The id of the chain (EIP-155); 1 is Ethereum.',
    }),
  },
  { title: 'CreateWalletNonce', examples: [{ address: ADDRESS, chainId: 1 }] },
)
export type CreateWalletNonce = Static<typeof CreateWalletNonce>

export const WalletNonce = Type.Object(
  {
    nonce: Type.String({
      description: 'Single use, for five minutes, for this address on this chain.',
      examples: ['k3J9x0vQm2Tz7bLd'],
    }),
    message: Type.String({
      description: 'An EIP-4361 message for the wallet to sign as it stands (EIP-191).',
      examples: [MESSAGE],
    }),
  },
  { title: 'WalletNonce', description: 'What a wallet signs to prove whose it is.' },
)
export type WalletNonce = Static<typeof WalletNonce>

const proof = {
  message: Text(1, 4096, { description: 'The message exactly as it was given out.' }),
  signature: Type.String({
    pattern: '^0x[0-9a-fA-F]{130}$',
    description: 'The signature of an externally owned account: r, s and v in hexadecimal.',
  }),
}
const example = {
  message: MESSAGE,
  signature: `0x${'0'.repeat(130)}`,
}
export const WalletProof = Closed(proof, { title: 'WalletProof', examples: [example] })
export type WalletProof = Static<typeof WalletProof>

const password = {
  ...GivenPassword,
  description: 'The present password; needed once the sign-in is ten minutes old.',
}
export const LinkWallet = Closed(
  { ...proof, password: Type.Optional(password) },
  { title: 'LinkWallet', examples: [example] },
)
export type LinkWallet = Static<typeof LinkWallet>
