import { randomBytes } from 'node:crypto'
import type { FastifyInstance } from 'fastify'
import type { Transaction } from '../../../database/client.ts'
import { sha256 } from '../../../lib/crypto.ts'
import { authErrors } from '../errors.ts'
import type { Subject } from '../queries/identities.ts'
import { findToken, insertToken, takeToken } from '../queries/tokens.ts'
import type { CreateWalletNonce, WalletNonce, WalletProof } from '../schemas/wallet.ts'

const NONCE_SECONDS = 300
/** The library's own nonces come from `Math.random`. EIP-4361 requires letters and digits. */
const NONCE_BYTES = 32
const PURPOSE = 'wallet_nonce'
const STATEMENT = 'Sign in to Lintel.'
/** How far the clock of the client that wrote the message may be off. */
const SKEW_MS = 60_000

/** Loaded on the first sign-in with a wallet: it takes up to 28 MB of memory and 0.2 s. */
const ethereum = async () => ({ ...(await import('viem/siwe')), ...(await import('viem/utils')) })
type Ethereum = Awaited<ReturnType<typeof ethereum>>
type Fields = ReturnType<Ethereum['parseSiweMessage']>

/** A wallet that has signed a message, and the nonce of the message, which is not consumed yet. */
export interface ProvedWallet extends Subject {
  provider: 'wallet'
  chainId: number
  nonceHash: Buffer
}

const boundTo = (chainId: number, address: string): string => `${chainId}:${address}`

/** Issues the messages by which the owner of a wallet signs in (EIP-4361), and verifies their signatures. */
export class Wallets {
  readonly #app: FastifyInstance
  readonly #origin: { domain: string; uri: string }

  /** `appUrl` is the page on which the wallet asks the user: it warns when the message names another site. */
  constructor(app: FastifyInstance, { appUrl }: { appUrl: string }) {
    this.#app = app
    this.#origin = { domain: new URL(appUrl).host, uri: appUrl }
  }

  async issue({ address, chainId }: CreateWalletNonce): Promise<WalletNonce> {
    const { createSiweMessage, getAddress } = await ethereum()
    const checksummed = getAddress(address)
    const nonce = randomBytes(NONCE_BYTES).toString('hex')
    const issuedAt = new Date()
    const message = createSiweMessage({
      ...this.#origin,
      address: checksummed,
      statement: STATEMENT,
      version: '1',
      chainId,
      nonce,
      issuedAt,
      expirationTime: new Date(issuedAt.getTime() + NONCE_SECONDS * 1000),
    })
    const subject = boundTo(chainId, checksummed)
    const lasting = { purpose: PURPOSE, userId: null, lifeSeconds: NONCE_SECONDS } as const
    await insertToken(this.#app.database, { hash: sha256(nonce), subject, ...lasting })
    return { nonce, message }
  }

  /** Throws `wallet_proof_invalid` for any fault of the proof. */
  async prove({ message, signature }: WalletProof): Promise<ProvedWallet> {
    const library = await ethereum()
    const fields = library.parseSiweMessage(message)
    const { address, chainId, nonce } = fields
    if (!address || !chainId || !nonce || !this.#isOurs(library, message, fields))
      throw authErrors.wallet_proof_invalid()
    const subject = library.getAddress(address)
    const nonceHash = sha256(nonce)
    // A guessed nonce is refused before the expensive check of the signature.
    const issued = await findToken(this.#app.database, { hash: nonceHash })
    const isBound = issued?.purpose === PURPOSE && issued.subject === boundTo(chainId, subject)
    const signer = isBound && (await signerOf(library, message, signature as `0x${string}`))
    if (signer !== subject) throw authErrors.wallet_proof_invalid()
    return { provider: 'wallet', subject, chainId, nonceHash }
  }

  /** Whether the whole message, to its last character, is one for this site and for the current time. */
  #isOurs(library: Ethereum, message: string, fields: Fields): boolean {
    const { address, chainId, nonce, issuedAt } = fields
    if (!address || !chainId || !nonce || !issuedAt) return false
    const age = Date.now() - issuedAt.getTime()
    const isNow = age > -SKEW_MS && age < NONCE_SECONDS * 1000 + SKEW_MS
    if (!isNow || !library.validateSiweMessage({ message: fields })) return false
    const required = { ...this.#origin, address, chainId, nonce, issuedAt, version: '1' } as const
    try {
      // The parser may ignore parts of the message, so the message is built again from the parsed fields and compared;
      // only the case of the address may differ.
      const canonical = library.createSiweMessage({ ...fields, ...required, scheme: undefined })
      return canonical === message.replace(address, library.getAddress(address))
    } catch {
      return false
    }
  }
}

const signerOf = ({ recoverMessageAddress }: Ethereum, message: string, signature: `0x${string}`) =>
  recoverMessageAddress({ message, signature }).catch(() => undefined)

/** Consumes the nonce. Throws `wallet_proof_invalid` when it is already consumed. */
export async function spendNonce(tx: Transaction, { nonceHash, chainId, subject }: ProvedWallet): Promise<void> {
  const taken = await takeToken(tx, { hash: nonceHash, purpose: PURPOSE })
  if (taken?.subject !== boundTo(chainId, subject)) throw authErrors.wallet_proof_invalid()
}
