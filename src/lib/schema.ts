import {
  type IntegerOptions,
  type SchemaOptions,
  type Static,
  type StringOptions,
  type TObject,
  type TProperties,
  type TSchema,
  type TUnsafe,
  Type,
} from '@sinclair/typebox'
import { ORGANIZATION_ROLES } from './access.ts'
import { demoUser } from './demo.ts'
import { currencyCodes, MAX_CENTS } from './money.ts'
import { withForm } from './normal-form.ts'
import { textForm } from './text-form.ts'

const CLOSED = { additionalProperties: false }

export const Id = Type.String({
  format: 'uuid',
  description: 'A UUIDv7: ids sort by time of creation. Taken in any case.',
})
export const Timestamp = Type.String({
  format: 'date-time',
  // More than any precise time needs. The limit is for speed: checking 1 MiB of such text takes 25 ms.
  maxLength: 64,
  description: 'UTC with milliseconds and `Z`; taken with any offset of RFC 3339.',
  examples: ['2026-01-31T12:00:00.000Z'],
})
export const Email = Type.String({
  format: 'email',
  maxLength: 254,
  description: 'An email address; kept in lower case.',
  examples: ['ada@example.com'],
})
export const Password = Type.String({
  format: 'password',
  minLength: 8,
  maxLength: 128,
  description: 'The new password: 8 to 128 characters, and none of the common ones.',
  examples: ['correct horse battery'],
})
/** The current password, which is checked and not set. It has no minimum length: a short one is just a wrong one. */
export const GivenPassword = Type.String({
  format: 'password',
  minLength: 1,
  maxLength: 128,
  description: 'The present password of the account.',
  examples: [demoUser.password],
})
/** An opaque single-use or refresh token in a body. */
export const Token = Type.String({
  minLength: 1,
  maxLength: 512,
  pattern: '^[A-Za-z0-9_.-]+$',
  description: 'The token of the link in the mail; good once.',
  examples: ['nR3w8mXk0cVt5bQz7yLd2fHs9jPg4aUe'],
})

/** Text of `minLength` to `maxLength` characters, counted in NFC. */
export const Text = (minLength: number, maxLength: number, options: StringOptions = {}) =>
  Type.String({ minLength, maxLength, ...options })

/** Text with at least one visible character, for names and titles. */
export const VisibleText = (maxLength: number, { description, ...options }: StringOptions & { description: string }) =>
  withForm(
    Text(1, maxLength, { description: `${description} Not blank.`, ...options }),
    textForm({ maxLength, visible: true }),
  )

/** `type: [x, "null"]`: serializes 2.7 times faster than a union with null. */
export const Nullable = <T extends TSchema>(schema: T, options: SchemaOptions = {}) =>
  Type.Unsafe<Static<T> | null>({
    ...schema,
    type: [schema.type, 'null'],
    ...(schema.enum ? { enum: [...schema.enum, null] } : {}),
    ...options,
  })

export const StringEnum = <const T extends readonly string[]>(
  values: T,
  options: SchemaOptions = {},
): TUnsafe<T[number]> => Type.Unsafe<T[number]>({ type: 'string', enum: [...values], ...options })

/** Money in minor units, without a fraction. */
export const Cents = (options: IntegerOptions = {}) =>
  Type.Integer({
    minimum: -MAX_CENTS,
    maximum: MAX_CENTS,
    description: 'In minor units of the currency: 1050 is 10.50 EUR, 1050 JPY or 1.050 KWD.',
    examples: [1050],
    ...options,
  })

export const Currency = StringEnum(currencyCodes, {
  title: 'Currency',
  description: 'A currency by its code in ISO 4217, in upper case.',
  examples: ['EUR'],
})

export const OrganizationRole = StringEnum(ORGANIZATION_ROLES, {
  description: 'A viewer reads, a member writes too, an admin manages people and keys, an owner everything.',
})

/** A closed object: an unknown property is refused. */
export const Closed = <T extends TProperties>(properties: T, options: SchemaOptions = {}) =>
  Type.Object(properties, { ...CLOSED, ...options })

/** The body of a PATCH: any of the fields, but at least one. */
export const Patch = <T extends TObject>(schema: T, options: SchemaOptions = {}) =>
  Type.Partial(schema, { ...CLOSED, minProperties: 1, ...options })

/** The response of an action that returns nothing. */
export const Nothing = Type.Null({ description: 'Done; no body.' })

/** A response that redirects the browser. */
export const Redirect = Type.Null({ description: 'Go on where `Location` says; no body.' })

/** A response that stays open and sends events. The type is empty, because the handler returns a stream of bytes. */
export const eventStream = (description: string): Record<never, never> => ({
  200: { description, content: { 'text/event-stream': { schema: Type.String() } } },
})

/** As `eventStream`, or an empty answer when nothing follows, which keeps an `EventSource` from connecting again. */
export const eventStreamOrNothing = (description: string): Record<never, never> => ({
  ...eventStream(description),
  204: { description: 'Nothing follows; no body.', type: 'null' },
})

export const MULTIPART = 'multipart/form-data'
/** The media type of a body that is bytes of any kind. */
export const BYTES = 'application/octet-stream'

/** A response that is the bytes of a file. The type is empty, as that of a stream. */
export const bytes = (description: string): Record<never, never> => ({
  200: { description, content: { '*/*': { schema: Type.String({ contentMediaType: BYTES }) } } },
})

/** The answer after which both sides speak another protocol; as of a stream, there is no handler's answer. */
export const upgrade = (description: string): Record<never, never> => ({ 101: { description, type: 'null' } })

export const MAX_LIMIT = 100
export const DEFAULT_LIMIT = 20

const ListMeta = Type.Object(
  {
    limit: Type.Integer({ description: 'The most rows that a page has.', examples: [DEFAULT_LIMIT] }),
    nextCursor: Nullable(Type.String(), {
      description:
        'The `cursor` of the next page: opaque, and good only with the same path, sort and filters. Null at the end.',
      examples: [null],
    }),
    hasMore: Type.Boolean({ description: 'Whether there is a next page.' }),
    page: Type.Optional(Type.Integer({ description: 'The number of this page; only where `page` asked for one.' })),
    total: Type.Optional(Type.Integer({ description: 'Rows on all pages; only with `count=exact`.' })),
    totalPages: Type.Optional(Type.Integer({ description: 'Pages of `limit` rows; only with `count=exact`.' })),
  },
  { title: 'ListMeta', description: 'Where this page stands in the list.' },
)

/** `{ data: Item[], meta }`: the shape of every list. */
export const List = <T extends TSchema>(item: T) =>
  Type.Unsafe<ListOf<Static<T>>>(
    Type.Object(
      {
        data: Type.Array(item, { description: 'The rows of the page, in the order that was asked for.' }),
        meta: ListMeta,
      },
      { title: `${item.title}List`, description: 'A page of the list.' },
    ),
  )

/** Whether it is the schema of a list, by its title. */
export const isList = (schema: { title?: unknown } | undefined): boolean => String(schema?.title).endsWith('List')

/** The rows of a list that are already written as the beginning of its JSON. */
export interface Written<T> {
  /** Returns the JSON of the whole list. Whoever keeps the list gives the same meta each time. */
  complete(meta: string): string
  /** Exists only in the type; it carries the type of the rows. */
  readonly rows?: T[]
}

export interface ListOf<T> {
  data: Written<T> | T[]
  meta: Static<typeof ListMeta>
}

const PageQuery = {
  limit: Type.Optional(
    Type.Integer({
      minimum: 1,
      maximum: Number.MAX_SAFE_INTEGER,
      default: DEFAULT_LIMIT,
      description: `Rows per page, ${DEFAULT_LIMIT} by default; above ${MAX_LIMIT} becomes ${MAX_LIMIT}.`,
    }),
  ),
  cursor: Type.Optional(Type.String({ maxLength: 1024, description: '`meta.nextCursor` of the page before.' })),
}

const NumberedPageQuery = {
  page: Type.Optional(
    Type.Integer({ minimum: 1, maximum: 10_000, description: '1-based page number, within the first 10,000 rows.' }),
  ),
  count: Type.Optional(StringEnum(['exact'], { description: 'Adds `meta.total` and `meta.totalPages`.' })),
}

/** The query string of a list: cursor paging, numbered pages, the allowed sorts, and the filters. */
export const ListQuery = <F extends TProperties, const S extends readonly string[]>(filters: F, sorts: S) =>
  Closed({
    ...PageQuery,
    ...NumberedPageQuery,
    sort: Type.Optional(
      StringEnum(
        sorts.flatMap(sort => [sort, `-${sort}`] as `${'' | '-'}${S[number]}`[]),
        {
          description: `What to sort by; a leading \`-\` sorts descending.`,
        },
      ),
    ),
    ...filters,
  })

/** The query string of a feed: oldest first, resumed by cursor, without numbered pages. */
export const FeedQuery = <F extends TProperties>(filters: F) => Closed({ ...PageQuery, ...filters })

export interface ListRequest {
  limit?: number
  cursor?: string
  page?: number
  count?: 'exact'
  sort?: string
}
