import { defineErrors } from '../../lib/errors.ts'

export const walletErrors = defineErrors({
  chain_not_configured: {
    status: 404,
    title: 'No chain is asked here',
    help: 'This installation has no node of a chain. The operator names one by `RPC_URL`.',
  },
  chain_failed: {
    status: 502,
    title: 'The chain cannot be asked',
    retryAfter: 5,
    help: 'The node of the chain did not answer within five seconds, or gave no valid answer. Ask again after a few seconds.',
  },
})
