import { type Static, Type } from '@sinclair/typebox'
import {
  Closed,
  Id,
  List,
  ListQuery,
  Nullable,
  Patch,
  StringEnum,
  Text,
  Timestamp,
  VisibleText,
} from '../../lib/schema.ts'
import { SLUG_PATTERN } from '../../lib/slug.ts'

const Title = VisibleText(200, { description: 'What the post is about, in a line.', examples: ['We moved'] })
const Content = Text(0, 50_000, {
  description: 'The text in Markdown, kept as it is written.',
  examples: ['We have a **new office**.'],
})
const Slug = Type.String({
  pattern: SLUG_PATTERN,
  minLength: 2,
  maxLength: 100,
  description: 'Its name in addresses: lower-case letters, digits and single hyphens; unique in the organization.',
  examples: ['we-moved'],
})
const Status = StringEnum(['draft', 'scheduled', 'published', 'archived'], {
  description: 'Whoever may read in the organization reads what is published; the rest is for those who may write.',
})

export const Post = Type.Object(
  {
    id: Id,
    organizationId: Id,
    authorId: Nullable(Id, { description: 'The user who wrote it; null where an API key did.' }),
    title: Title,
    content: Content,
    slug: Slug,
    status: Status,
    publishAt: Nullable(Timestamp, {
      description: 'When it will be published; null unless it is scheduled.',
      examples: [null],
    }),
    publishedAt: Nullable(Timestamp, {
      description: 'When it was published; null until it is, and again as a draft.',
      examples: [null],
    }),
    createdAt: Timestamp,
    updatedAt: Timestamp,
  },
  { title: 'Post', description: 'An announcement of an organization.' },
)
export type Post = Static<typeof Post>

export const ReadPost = Type.Object(
  {
    ...Post.properties,
    html: Type.Optional(
      Type.String({
        description: 'Only with `format=html`: the content as HTML without scripts, styles and foreign frames.',
        examples: ['<p>We have a <strong>new office</strong>.</p>\n'],
      }),
    ),
  },
  { title: 'ReadPost', description: 'An announcement of an organization, with its content as HTML if asked for.' },
)

export const PostQuery = Closed({
  format: Type.Optional(
    StringEnum(['markdown', 'html'], { description: '`html` adds the content as HTML that a page may show as it is.' }),
  ),
})

export const CreatePost = Closed(
  {
    title: Title,
    content: Content,
    slug: Type.Optional({ ...Slug, description: 'Its name in addresses; made from the title where it is left out.' }),
  },
  { title: 'CreatePost', examples: [{ title: 'We moved', content: 'We have a **new office**.' }] },
)
export type CreatePost = Static<typeof CreatePost>
export const UpdatePost = Patch(Closed({ title: Title, content: Content, slug: Slug }), {
  title: 'UpdatePost',
  examples: [{ title: 'We have moved' }],
})
export type UpdatePost = Static<typeof UpdatePost>
/** The body is optional. */
export const PublishPost = Nullable(
  Closed({
    publishAt: Type.Optional(
      Nullable(Timestamp, { description: 'When to publish it; null, left out or in the past for now.' }),
    ),
  }),
  { title: 'PublishPost', examples: [{ publishAt: null }] },
)
export type PublishPost = Static<typeof PublishPost>

const PostFilters = Type.Object({
  status: Type.Optional({ ...Status, description: 'Only posts with this status.' }),
  authorId: Type.Optional({ ...Id, description: 'Only posts of this user.' }),
  search: Type.Optional(
    Text(1, 200, { description: 'Whole words of title or content; "quoted" for a phrase, -word to exclude.' }),
  ),
})
export type PostFilters = Static<typeof PostFilters>

export const PostList = List(Post)
export const PostsQuery = ListQuery(PostFilters.properties, ['createdAt', 'publishedAt'])
export const UserPostsQuery = ListQuery(Type.Omit(PostFilters, ['authorId']).properties, ['createdAt', 'publishedAt'])
