import type { FastifyInstance } from 'fastify'

/** Longer than any upload may take, so that bytes whose row is about to be written are left alone. */
const MIN_AGE_MS = 1_800_000
const BATCH = 500

/** Removes bytes that no row names: of a process that died during an upload, or of a deleted organization. */
export async function removeOrphans({ storage, storedKeys }: FastifyInstance): Promise<void> {
  const collect = async (ids: string[]) => {
    const kept = await storedKeys.kept(ids)
    for (const id of ids) if (!kept.has(id)) await storage.remove(id)
  }
  let batch: string[] = []
  for await (const key of storage.keysBefore(new Date(Date.now() - MIN_AGE_MS))) {
    batch.push(key)
    if (batch.length < BATCH) continue
    await collect(batch)
    batch = []
  }
  await collect(batch)
}
