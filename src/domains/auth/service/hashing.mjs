import { hashSync, verifySync } from '@node-rs/argon2'

// What the threads that hash do. It is JavaScript, as the preload is: a thread that strips types starts later, 12 MB larger.

const clock = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT))
let restedAt = 0

export const hash = ({ password, options }) => rested(() => hashSync(password, options))

export const verify = ({ password, against }) => rested(() => verifySync(against, password))

/** A thread rests between two hashes as long as the first one took: half of its core is for others, whoever floods. */
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
