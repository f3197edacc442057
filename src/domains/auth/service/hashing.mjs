import { hashSync, verifySync } from '@node-rs/argon2'

// What the threads that hash do. It is JavaScript, as the preload is: a thread that strips types starts later, 12 MB larger.

export const hash = ({ password, options }) => hashSync(password, options)

export const verify = ({ password, against }) => verifySync(against, password)
