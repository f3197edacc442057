import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import type { Readable } from 'node:stream'
import type { S3Client } from '@aws-sdk/client-s3'
import { attachment } from '../../lib/download.ts'
import { requestErrors } from '../../lib/errors.ts'
import { storageErrors } from '../../lib/storage-errors.ts'
import type { LocalStorage } from './local.ts'
import type { Announced, ByteRange, Content, Grant, Storage } from './storage.ts'

export interface S3Options {
  bucket: string
  region: string
  /** Null for AWS itself. */
  endpoint: string | null
  /** Without both the library looks for credentials where AWS puts them. */
  accessKeyId: string | null
  secretAccessKey: string | null
}

const CONNECT_MS = 3_000
const SILENCE_MS = 10_000
const ATTEMPTS = 3
const CHECKSUM_HEADER = 'x-amz-checksum-sha256'

type Sdk = typeof import('@aws-sdk/client-s3') & typeof import('@aws-sdk/s3-request-presigner')

/** Loads the library, which only this storage needs. `spool` keeps an upload until the store has all of it. */
export async function openS3(options: S3Options, spool: LocalStorage): Promise<S3Storage> {
  const [client, presigner] = await Promise.all([import('@aws-sdk/client-s3'), import('@aws-sdk/s3-request-presigner')])
  return new S3Storage({ ...client, ...presigner }, options, spool)
}

/**
 * Keeps objects in a bucket of any store that speaks S3. An upload of unknown length is first spooled to the local disk:
 * then it is one request, which stores the whole object or nothing, and memory does not grow with uploads. Every method
 * throws `storage_unavailable` when the store does not answer.
 */
export class S3Storage implements Storage {
  readonly #sdk: Sdk
  readonly #client: S3Client
  readonly #bucket: string
  readonly #spool: LocalStorage

  constructor(sdk: Sdk, { bucket, region, endpoint, accessKeyId, secretAccessKey }: S3Options, spool: LocalStorage) {
    this.#sdk = sdk
    this.#bucket = bucket
    this.#spool = spool
    this.#client = new sdk.S3Client({
      region,
      ...(endpoint !== null && { endpoint, forcePathStyle: true }),
      ...(accessKeyId !== null && secretAccessKey !== null && { credentials: { accessKeyId, secretAccessKey } }),
      maxAttempts: ATTEMPTS,
      requestHandler: { connectionTimeout: CONNECT_MS, requestTimeout: SILENCE_MS },
      // Checksums in trailers are not known to every store; TLS and the length are.
      requestChecksumCalculation: 'WHEN_REQUIRED',
      responseChecksumValidation: 'WHEN_REQUIRED',
    })
  }

  async write(key: string, source: AsyncIterable<Buffer>): Promise<void> {
    await this.#spool.write(key, source)
    try {
      const path = this.#spool.pathOf(key)
      const { size } = await stat(path)
      const body = { Body: createReadStream(path), ContentLength: size }
      await this.#answer(this.#client.send(new this.#sdk.PutObjectCommand({ ...this.#at(key), ...body })))
    } finally {
      await this.#spool.remove(key)
    }
  }

  async read(key: string, range?: ByteRange): Promise<Readable> {
    const bytes = range && { Range: `bytes=${range.start}-${range.end}` }
    const { Body } = await this.#answer(
      this.#client.send(new this.#sdk.GetObjectCommand({ ...this.#at(key), ...bytes })),
    )
    return Body as Readable
  }

  async remove(key: string): Promise<void> {
    await this.#spool.remove(key)
    await this.#answer(this.#client.send(new this.#sdk.DeleteObjectCommand(this.#at(key))))
  }

  async stat(key: string): Promise<{ sizeBytes: number } | undefined> {
    try {
      const { ContentLength } = await this.#client.send(new this.#sdk.HeadObjectCommand(this.#at(key)))
      return { sizeBytes: ContentLength as number }
    } catch (error) {
      if ((error as Error).name === 'NotFound') return undefined
      throw storageErrors.storage_unavailable({ cause: error })
    }
  }

  /** Also removes what a killed process has left in the spool. */
  async *keysBefore(time: Date): AsyncGenerator<string> {
    for await (const key of this.#spool.keysBefore(time)) await this.#spool.remove(key)
    let from: string | undefined
    do {
      const page = { Bucket: this.#bucket, ...(from !== undefined && { ContinuationToken: from }) }
      const listed = await this.#answer(this.#client.send(new this.#sdk.ListObjectsV2Command(page)))
      for (const { Key, LastModified } of listed.Contents ?? [])
        if (Key && LastModified && LastModified < time) yield Key
      from = listed.NextContinuationToken
    } while (from !== undefined)
  }

  /** The store itself serves the URL; asks nobody. */
  downloadUrl({ key, name, type }: Content, expiresAt: Date): Promise<string> {
    const command = new this.#sdk.GetObjectCommand({
      ...this.#at(key),
      ResponseContentDisposition: attachment(name),
      ResponseContentType: type,
      ResponseCacheControl: 'private, no-cache',
    })
    return this.#sdk.getSignedUrl(this.#client, command, { expiresIn: secondsUntil(expiresAt) })
  }

  /** The store takes the bytes by itself: length and checksum are signed, so it refuses all others. Asks nobody. */
  async uploadGrant({ key, sizeBytes, sha256 }: Announced, expiresAt: Date): Promise<Grant> {
    const checksum = Buffer.from(sha256, 'hex').toString('base64')
    const command = new this.#sdk.PutObjectCommand({
      ...this.#at(key),
      ContentLength: sizeBytes,
      ChecksumSHA256: checksum,
    })
    const url = await this.#sdk.getSignedUrl(this.#client, command, {
      expiresIn: secondsUntil(expiresAt),
      // As a parameter of the URL the store would not compare it with the bytes.
      unhoistableHeaders: new Set([CHECKSUM_HEADER]),
    })
    return { url, headers: { [CHECKSUM_HEADER]: checksum } }
  }

  close(): void {
    this.#client.destroy()
  }

  #at(key: string) {
    return { Bucket: this.#bucket, Key: key }
  }

  async #answer<T>(answer: Promise<T>): Promise<T> {
    try {
      return await answer
    } catch (error) {
      const { name } = error as Error
      throw name === 'NoSuchKey' ? requestErrors.not_found() : storageErrors.storage_unavailable({ cause: error })
    }
  }
}

const secondsUntil = (time: Date): number => Math.ceil((time.getTime() - Date.now()) / 1_000)
