/**
 * Returns the bound of a time: `busyMs`, which a machine that is busy with something else holds too; with
 * `PROMISED_BOUNDS=1` the time that the documents promise. `npm run bench:promises` sets it, on a quiet machine.
 */
export const promised = (promisedMs: number, busyMs: number): number =>
  process.env.PROMISED_BOUNDS === '1' ? promisedMs : busyMs
