import { type Static, Type } from '@sinclair/typebox'
import { PLATFORM_ROLES } from '../../lib/access.ts'
import { localeForm, timeZoneForm, withForm } from '../../lib/normal-form.ts'
import {
  Closed,
  Email,
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

export const UserName = VisibleText(100, {
  description: 'What the person is called, as others see it.',
  examples: ['Ada Lovelace'],
})
export const PlatformRole = StringEnum(PLATFORM_ROLES, {
  description: 'The role on the platform, which is no role in an organization: moderators and admins run the service.',
})
const UserStatus = StringEnum(['active', 'deactivated'], { description: 'Nobody signs in to a deactivated account.' })

export const User = Type.Object(
  {
    id: Id,
    email: Nullable(Email, { description: 'Null for who came with a wallet and gave none.' }),
    name: UserName,
    role: PlatformRole,
    status: UserStatus,
    emailVerifiedAt: Nullable(Timestamp, { description: 'When the address was confirmed; null until then.' }),
    createdAt: Timestamp,
    updatedAt: Timestamp,
  },
  { title: 'User', description: 'A person with an account.' },
)
export type User = Static<typeof User>

export const Profile = Closed(
  {
    bio: Nullable(Text(0, 2000), {
      description: 'A few words about the person; null for none.',
      examples: ['Wrote the first program.'],
    }),
    company: Nullable(Text(0, 200), { description: 'Where the person works; null for none.', examples: [null] }),
    jobTitle: Nullable(Text(0, 200), { description: 'What the person does there; null for none.', examples: [null] }),
  },
  { title: 'Profile', description: 'What a person says about themselves.' },
)
export type Profile = Static<typeof Profile>

export const Settings = Closed(
  {
    locale: withForm(
      Type.String({
        pattern: '^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*$',
        maxLength: 35,
        description: 'A BCP 47 language tag.',
        examples: ['en-GB'],
      }),
      localeForm,
    ),
    timezone: withForm(
      Type.String({
        pattern: '^[A-Za-z][A-Za-z0-9_+/-]*$',
        maxLength: 64,
        description: 'The name of an IANA time zone.',
        examples: ['Europe/London'],
      }),
      timeZoneForm,
    ),
    theme: StringEnum(['system', 'light', 'dark'], {
      description: 'Colours of the front end; `system` follows the device.',
    }),
    emailNotifications: Type.Boolean({
      description: 'Whether to send mails that are not about the account itself, such as that a task is due.',
    }),
    digest: StringEnum(['none', 'daily', 'weekly'], {
      description:
        'A mail about the tasks of the person, each morning or each Monday at 8 in `timezone`. `emailNotifications` does not matter for it.',
    }),
  },
  { title: 'Settings', description: 'How the service behaves towards the person.' },
)
export type Settings = Static<typeof Settings>

export const Me = Type.Object(
  { ...User.properties, profile: Profile, settings: Settings },
  {
    title: 'Me',
    description: 'The signed-in user, with profile and settings.',
  },
)
export type Me = Static<typeof Me>

export const UpdateMe = Patch(
  Closed({
    name: UserName,
    profile: Patch(Profile, { title: 'UpdateProfile' }),
    settings: Patch(Settings, { title: 'UpdateSettings' }),
  }),
  {
    title: 'UpdateMe',
    examples: [{ name: 'Ada Lovelace', profile: { company: 'Analytical Engines Ltd' }, settings: { theme: 'dark' } }],
  },
)
export type UpdateMe = Static<typeof UpdateMe>

export const UserList = List(User)
export const UsersQuery = ListQuery(
  {
    search: Type.Optional(Text(1, 200, { description: 'Part of a name or an address.' })),
    role: Type.Optional({ ...PlatformRole, description: 'Only users with this role.' }),
    status: Type.Optional({ ...UserStatus, description: 'Only users with this status.' }),
  },
  ['createdAt'],
)
