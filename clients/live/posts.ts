/** A message that is stored: `sequence` is its number in the room. */
export interface Posted {
  id: string
  sequence: number
}

/** Why a message was not stored. */
export class PostError extends Error {
  readonly code: string

  constructor(code: string, detail: string) {
    super(detail)
    this.code = code
  }
}

export interface Post {
  topic: string
  body: string
  replyToId?: string
  resolve(posted: Posted): void
  reject(error: PostError): void
}

const CLIENT_ID_BYTES = 16

/** `crypto.randomUUID` is missing on pages that were not loaded over TLS. */
export const newClientId = (): string =>
  Array.from(crypto.getRandomValues(new Uint8Array(CLIENT_ID_BYTES)), byte => byte.toString(16).padStart(2, '0')).join(
    '',
  )
