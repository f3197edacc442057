import { generatePrivateKey, type PrivateKeyAccount, privateKeyToAccount } from 'viem/accounts'
import type { TestApp } from './app.ts'
import { call } from './call.ts'

export const newWallet = (): PrivateKeyAccount => privateKeyToAccount(generatePrivateKey())

/** Requests a new message for the wallet and signs it. */
export async function signMessage({ app }: Pick<TestApp, 'app'>, wallet: PrivateKeyAccount, chainId = 1) {
  const { body } = await call(app, 'POST /auth/wallet/nonce', { body: { address: wallet.address, chainId } })
  const { nonce, message } = body as { nonce: string; message: string }
  return { nonce, message, signature: await wallet.signMessage({ message }) }
}

export async function signInWithWallet(test: Pick<TestApp, 'app'>, wallet: PrivateKeyAccount) {
  const { message, signature } = await signMessage(test, wallet)
  return call(test.app, 'POST /auth/wallet/verify', { body: { message, signature } })
}
