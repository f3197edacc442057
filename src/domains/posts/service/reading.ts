import type { FastifyContextConfig, FastifyInstance, FastifyRequest } from 'fastify'
import { member, principalOf, reachesRole } from '../../../lib/access.ts'
import { htmlOf } from '../../../lib/markdown.ts'
import { findPost, findPostOfAnyone, type PostRow } from '../queries.ts'

const access = (checkedBy: 'plugin' | 'statement') => member('viewer', 'post', 'posts:read', checkedBy)

/** Returns how one post is read. With a cache its row is that of all readers, and who may read it is decided apart. */
export function postReader(app: FastifyInstance) {
  const { cache, database } = app
  const find = cache.define({
    name: 'posts',
    keyOf: (id: string) => id,
    load: id => findPostOfAnyone(database, { id }),
    of: 'post',
  })
  const rendered = cache.define({
    name: 'posts_html',
    keyOf: ({ id, version }: PostRow) => `${id} ${version}`,
    load: async ({ content }) => ({ html: htmlOf(content) }),
  })
  const config: FastifyContextConfig = cache.isOn
    ? { access: access('plugin'), cached: true }
    : { access: access('statement'), mayLag: true }

  /** Undefined when the post is missing or the caller may not read it. */
  async function read(request: FastifyRequest, id: string): Promise<PostRow | undefined> {
    if (!cache.isOn) return findPost(request.reads, { ...principalOf(request.actor), id })
    const post = await find(id)
    return post && isReadable(post, request) ? post : undefined
  }
  return { config, read, rendered }
}

/** A viewer reads only what is published. */
const isReadable = ({ status }: PostRow, { actor, membership }: FastifyRequest): boolean =>
  status === 'published' ||
  actor?.type === 'api_key' ||
  (membership?.role != null && reachesRole(membership.role, 'member'))
