import type pg from 'pg'

export const ORGANIZATIONS = 200
export const PROJECTS = 1_000
/** The number of task ids, and of projects, that a run requests. */
export const TARGETS = 1_000
export const ACCOUNTS = 10_000
/** The number of pairs of accounts that a run uses; each account is in about one. */
const PAIRS = 5_000

/** The id in the path of a request, and the user whose token it carries. */
export interface Target {
  id: string
  userId: string
}

/** Two accounts of an organization, and its owner. */
export interface Pair {
  fromAccountId: string
  toAccountId: string
  userId: string
}

export interface Targets {
  tasks: Target[]
  projects: Target[]
  pairs: Pair[]
  /** Every one has the same account on one side. */
  hotPairs: Pair[]
}

// Ids are UUIDv7 one second apart, so they sort like ids of tasks created one after another. Their other bits are a
// hash of the number, so that every run has the same ids.
const FUNCTIONS = `
create function pg_temp.created(kind int, n bigint) returns timestamptz language sql immutable as $$
  select to_timestamp(1700000000 + kind * 1000000 + n + (n * 7919 % 1000) / 1000.0) $$;
create function pg_temp.id(kind int, n bigint) returns uuid language sql immutable as $$
  select (lpad(to_hex((extract(epoch from pg_temp.created(kind, n)) * 1000)::bigint), 12, '0')
    || '7' || substr(hash, 1, 3) || '8' || substr(hash, 4, 15))::uuid from md5(kind || '/' || n) hash $$;
`

// One owner for each organization. Tasks are dealt to the projects in turn, so the list of a project is scattered over
// the table.
const ROWS = `
insert into users (id, email, name, email_verified_at, created_at, updated_at)
  select pg_temp.id(0, n), 'owner-' || n || '@example.com', 'Owner ' || n, at, at, at
  from generate_series(1, $organizations) n, pg_temp.created(0, n) at;
insert into sessions (id, user_id, expires_at)
  select pg_temp.id(1, n), pg_temp.id(0, n), now() + interval '30 days' from generate_series(1, $organizations) n;
insert into organizations (id, name, slug, created_at, updated_at)
  select pg_temp.id(2, n), 'Organization ' || n, 'organization-' || n, at, at
  from generate_series(1, $organizations) n, pg_temp.created(2, n) at;
insert into members (organization_id, user_id, role)
  select pg_temp.id(2, n), pg_temp.id(0, n), 'owner' from generate_series(1, $organizations) n;
insert into projects (id, organization_id, name, created_by, created_at, updated_at)
  select pg_temp.id(3, n), pg_temp.id(2, owner), 'Project ' || n, pg_temp.id(0, owner), at, at
  from generate_series(1, $projects) n, pg_temp.created(3, n) at, lateral (select 1 + n % $organizations) o(owner);
insert into tasks (id, organization_id, project_id, title, description, status, priority, due_at, created_by, created_at, updated_at)
  select pg_temp.id(4, n), p.organization_id, p.id, 'Task ' || n || ': check the joints of frame ' || n % 97,
    case when n % 3 > 0 then repeat('The lintel carries what stands above it. ', (n % 5)::int) end,
    (array['open', 'in_progress', 'done', 'cancelled'])[1 + n % 4], n % 5,
    case when n % 2 = 0 then at + interval '14 days' end, p.created_by, at, at
  from generate_series(1, $tasks) n join projects p on p.id = pg_temp.id(3, 1 + n % $projects), pg_temp.created(4, n) at;
insert into accounts (id, organization_id, kind, currency, balance_cents)
  select pg_temp.id(5, n), pg_temp.id(2, 1 + n % $organizations), 'normal', 'EUR', 1000000000
  from generate_series(1, $accounts) n;
`

/** Fills an empty, migrated database. */
export async function seed(client: pg.Client, tasks: number): Promise<void> {
  await client.query(FUNCTIONS)
  const numbers: Record<string, number> = {
    organizations: ORGANIZATIONS,
    projects: PROJECTS,
    tasks,
    accounts: ACCOUNTS,
  }
  await client.query(
    ROWS.replace(/\$(organizations|projects|tasks|accounts)/g, (_, name: string) => String(numbers[name])),
  )
  await client.query('vacuum analyze')
  await client.query('checkpoint')
}

const PAIR = `
  select a.id as "fromAccountId", b.id as "toAccountId", m.user_id as "userId" from accounts a
  join accounts b on b.organization_id = a.organization_id and b.id <> a.id
  join members m on m.organization_id = a.organization_id
  where true`

/** Returns random ids for a run, drawn evenly from the whole table. */
export async function drawTargets(client: pg.Client): Promise<Targets> {
  const tasks = await client.query(
    `select t.id, t.created_by as "userId" from tasks t
     where t.created_by is not null and t.created_at < to_timestamp(1710000000) order by md5(t.id::text) limit $1`,
    [TARGETS],
  )
  const projects = await client.query(
    `select id, created_by as "userId" from projects order by md5(id::text) limit $1`,
    [TARGETS],
  )
  const pairs = await client.query(`${PAIR} order by md5(a.id::text || b.id) limit $1`, [PAIRS])
  const hotPairs = await client.query(`${PAIR} and $1 in (a.id, b.id) order by md5(a.id::text || b.id) limit $2`, [
    (pairs.rows[0] as Pair).fromAccountId,
    PAIRS,
  ])
  return { tasks: tasks.rows, projects: projects.rows, pairs: pairs.rows, hotPairs: hotPairs.rows }
}
