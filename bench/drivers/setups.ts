import pg from 'pg'
import postgres from 'postgres'
import { Database } from '../../src/database/client.ts'
import { RowPlan } from '../../src/database/fast-path/rows.ts'

export const READ = 'select id, title, created_at from items where id = $1'
export const WRITE = 'update counters set value = value + 1 where id = $1'

/** One driver in one configuration, with the two operations that a server needs. */
export interface Setup {
  read(id: number): Promise<unknown>
  /** Runs two statements that commit together. */
  transaction(id: number): Promise<unknown>
}

const POOL = 10
const readPlan = new RowPlan()
const writePlan = new RowPlan()

function pgPool(url: string): Setup {
  const pool = new pg.Pool({ connectionString: url, max: POOL, connectionTimeoutMillis: 2_000, query_timeout: 4_000 })
  pool.on('error', () => {})
  pool.on('connect', client => client.on('error', () => {}))
  return {
    read: id => pool.query({ name: 'read', text: READ, values: [id] }),
    transaction: id => pgTransaction(pool, id),
  }
}

async function pgTransaction(pool: pg.Pool, id: number): Promise<void> {
  const client = await pool.connect()
  try {
    await client.query('begin')
    await client.query({ name: 'read', text: READ, values: [id] })
    await client.query({ name: 'write', text: WRITE, values: [id] })
    await client.query('commit')
    client.release()
  } catch (error) {
    client.release(true)
    throw error
  }
}

async function pgPipelined(url: string, clients: number): Promise<Setup> {
  const all = Array.from(
    { length: clients },
    () => new pg.Client({ connectionString: url, pipeline: true } as pg.ClientConfig),
  )
  await Promise.all(all.map(client => client.connect()))
  let turn = 0
  return {
    read: id => (all[turn++ % clients] as pg.Client).query({ name: 'read', text: READ, values: [id] }),
    transaction: () => Promise.reject(new Error('commits on one pipelined connection wait for each other')),
  }
}

/** Lintel's own client: pipelined connections with reconnection for single statements, a pool for transactions. */
async function lintel(url: string): Promise<Setup> {
  const database = new Database({ url, pool: POOL, fastPath: true, log: { warn() {} } })
  await database.open()
  return {
    read: id => database.run({ name: 'read', text: READ, values: [id], rows: readPlan.rows() }),
    transaction: id =>
      database.transaction(async tx => {
        await tx.run({ name: 'read', text: READ, values: [id], rows: readPlan.rows() })
        await tx.run({ name: 'write', text: WRITE, values: [id], rows: writePlan.rows() })
      }),
  }
}

function postgresJs(url: string, connections: number): Setup {
  const sql = postgres(url, { max: connections, connect_timeout: 2, onnotice: () => {} })
  return {
    read: id => sql`select id, title, created_at from items where id = ${id}`,
    transaction: id =>
      sql.begin(async tx => {
        await tx`select id, title, created_at from items where id = ${id}`
        await tx`update counters set value = value + 1 where id = ${id}`
      }),
  }
}

export const setups: Record<string, (url: string) => Setup | Promise<Setup>> = {
  'pg, pool of ten': pgPool,
  'pg, 1 pipelined client': url => pgPipelined(url, 1),
  'pg, 2 pipelined clients': url => pgPipelined(url, 2),
  'postgres.js, pool of ten': url => postgresJs(url, POOL),
  'postgres.js, 1 connection': url => postgresJs(url, 1),
  'pg, as Lintel uses it': lintel,
}
