import { hashSync, verifySync } from '@node-rs/argon2'

// Runs in the worker threads that hash passwords. It is JavaScript, like the preload: a thread that strips types starts
// more slowly and takes 12 MB more.

const clock = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT))
let restedAt = 0

export const hash = ({ password, options }) => rested(() => hashSync(password, options))

export const verify = ({ password, against }) => rested(() => verifySync(against, password))

/**
 * After each hash a thread waits as long as the hash took, so that half of its core stays free for other work, also
 * under a flood of requests.
 */
function rested(work) {
  const begun = waitUntil(restedAt)
  const result = work()
  const ended = performance.now()
  restedAt = ended + (ended - begun)
  return result
}

function waitUntil(time) {
  const left = time - performance.now()
  if (left > 0) Atomics.wait(clock, 0, 0, left)
  return performance.now()
}
