import type { Test } from 'tap'
import { startChain } from './chain.ts'
import { startProvider } from './provider.ts'

/** Starts what operations of the document ask outside: a provider of sign-ins and a node of a chain. Returns the configuration for them. */
export async function startServices(t: Test) {
  const { google } = await startProvider(t)
  const { url: rpcUrl } = await startChain(t)
  return { google, rpcUrl }
}
