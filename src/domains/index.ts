import type { Domain } from '../plugins/domains.ts'
import { apiKeys } from './api-keys/index.ts'
import { attachments } from './attachments/index.ts'
import { audit } from './audit/index.ts'
import { auth } from './auth/index.ts'
import { avatars } from './avatars/index.ts'
import { billing } from './billing/index.ts'
import { chat } from './chat/index.ts'
import { comments } from './comments/index.ts'
import { files } from './files/index.ts'
import { organizations } from './organizations/index.ts'
import { posts } from './posts/index.ts'
import { projects } from './projects/index.ts'
import { reports } from './reports/index.ts'
import { rooms } from './rooms/index.ts'
import { tasks } from './tasks/index.ts'
import { uploads } from './uploads/index.ts'
import { users } from './users/index.ts'
import { wallets } from './wallets/index.ts'
import { webhooks } from './webhooks/index.ts'

/** In order of dependency: a domain imports only from those before it. */
export const domains: Domain[] = [
  users,
  auth,
  wallets,
  organizations,
  apiKeys,
  projects,
  tasks,
  posts,
  comments,
  files,
  uploads,
  avatars,
  ...billing,
  chat,
  rooms,
  attachments,
  audit,
  webhooks,
  reports,
]
