import { type Static, Type } from '@sinclair/typebox'
import { PLATFORM_ROLES } from '../../lib/access.ts'
import { Closed, Email, Id, List, ListQuery, Nullable, Patch, StringEnum, Text, Timestamp } from '../../lib/schema.ts'

export const UserName = Text(1, 100, { examples: ['Ada Lovelace'] })

export const User = Type.Object(
  {
    id: Id,
    email: Nullable(Email, { description: 'Null for who came with a wallet and gave none.' }),
    name: UserName,
    role: StringEnum(PLATFORM_ROLES),
    status: StringEnum(['active', 'deactivated']),
    emailVerifiedAt: Nullable(Timestamp),
    createdAt: Timestamp,
    updatedAt: Timestamp,
  },
  { title: 'User' },
)
export type User = Static<typeof User>

export const Profile = Closed(
  {
    bio: Nullable(Text(0, 2000)),
    company: Nullable(Text(0, 200)),
    jobTitle: Nullable(Text(0, 200)),
  },
  { title: 'Profile' },
)
export type Profile = Static<typeof Profile>

export const Settings = Closed(
  {
    locale: Type.String({ pattern: '^[a-zA-Z]{2,3}(-[a-zA-Z0-9]{2,8})*$', maxLength: 35, examples: ['en-GB'] }),
    timezone: Type.String({ pattern: '^[A-Za-z0-9_+/-]+$', maxLength: 64, examples: ['Europe/London'] }),
    theme: StringEnum(['system', 'light', 'dark']),
    emailNotifications: Type.Boolean(),
  },
  { title: 'Settings' },
)
export type Settings = Static<typeof Settings>

export const Me = Type.Object({ ...User.properties, profile: Profile, settings: Settings }, { title: 'Me' })
export type Me = Static<typeof Me>

export const UpdateMe = Patch(
  Closed({
    name: UserName,
    profile: Patch(Profile, { title: 'UpdateProfile' }),
    settings: Patch(Settings, { title: 'UpdateSettings' }),
  }),
  { title: 'UpdateMe', examples: [{ name: 'Ada Lovelace', settings: { theme: 'dark' } }] },
)
export type UpdateMe = Static<typeof UpdateMe>

export const UserList = List(User)
export const UsersQuery = ListQuery(
  {
    search: Type.Optional(Text(1, 200, { description: 'Part of a name or an address.' })),
    role: Type.Optional(StringEnum(PLATFORM_ROLES)),
    status: Type.Optional(StringEnum(['active', 'deactivated'])),
  },
  ['createdAt'],
)
