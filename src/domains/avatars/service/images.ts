import { createHash } from 'node:crypto'
import { buffer } from 'node:stream/consumers'
import type { FastifyInstance } from 'fastify'
import { AppError } from '../../../lib/errors.ts'
import { newId } from '../../../lib/ids.ts'
import { deleteImages, type Image, insertImages, isAwaited, settleAvatar } from '../queries.ts'
import type { AvatarSize } from '../schemas.ts'

const PIXELS: Record<AvatarSize, number> = { small: 64, medium: 128, large: 512 }
/** Decoded, such an image takes 200 MB. A camera makes half as many. */
const MAX_PIXELS = 50_000_000
const QUALITY = 80

type App = Pick<FastifyInstance, 'database' | 'storage'>

/** Loaded with the first image: it takes 20 MB. */
const library = async () => (await import('sharp')).default

/**
 * Makes the images of an upload and removes the original. Bytes that no row names, as the images before or those of an attempt that
 * was cut off, are collected with the other orphans of the storage.
 */
export async function makeImages(
  { database, storage }: App,
  { userId, originalKey }: { userId: string; originalKey: string },
): Promise<void> {
  if (!(await isAwaited(database, { userId, originalKey }))) return
  const original = await readOriginal(storage, originalKey)
  const made = original && (await draw(original))
  const images: Image[] = []
  for (const { size, bytes } of made ?? []) {
    const key = newId()
    await storage.write(key, chunksOf(bytes))
    images.push({ key, size, pixels: PIXELS[size], sizeBytes: bytes.length, sha256: hashOf(bytes) })
  }
  await database.transaction(async tx => {
    const status = made ? 'ready' : 'failed'
    if (!(await settleAvatar(tx, { userId, originalKey, status })) || !made) return
    await deleteImages(tx, { userId })
    await insertImages(tx, { userId, images: JSON.stringify(images) })
  })
  await storage.remove(originalKey)
}

/** Undefined when the bytes are gone, with a deleted account. */
async function readOriginal(storage: App['storage'], key: string): Promise<Buffer | undefined> {
  try {
    return await buffer(await storage.read(key))
  } catch (error) {
    if (error instanceof AppError && error.status === 404) return undefined
    throw error
  }
}

/** Returns the images, or undefined when the bytes are no image or one that is too large to decode. */
async function draw(original: Buffer): Promise<{ size: AvatarSize; bytes: Buffer }[] | undefined> {
  const sharp = await library()
  try {
    // Turned as EXIF says; what is written has no metadata. The header is checked before anything is decoded.
    const upright = await sharp(original, { limitInputPixels: MAX_PIXELS, pages: 1 })
      .rotate()
      .resize(PIXELS.large, PIXELS.large, { fit: 'cover' })
      .toBuffer()
    return await Promise.all(
      (Object.keys(PIXELS) as AvatarSize[]).map(async size => ({
        size,
        bytes: await sharp(upright).resize(PIXELS[size], PIXELS[size]).webp({ quality: QUALITY }).toBuffer(),
      })),
    )
  } catch {
    return undefined
  }
}

async function* chunksOf(bytes: Buffer): AsyncGenerator<Buffer> {
  yield bytes
}

const hashOf = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex')
