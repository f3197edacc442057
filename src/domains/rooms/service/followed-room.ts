/** A socket that follows a room. */
export interface Follower {
  /** Null for an API key, which is not shown. */
  userId: string | null
  presence(change: { present: string[]; absent: string[] }): void
  typing(userId: string): void
}

/** A room with followers in this process. */
export class FollowedRoom {
  readonly followers = new Set<Follower>()
  /** The number of sockets of each user in this process. */
  readonly here = new Map<string, number>()
  /** Until when (ms) other processes are believed that a user is present, by user and process. */
  readonly elsewhere = new Map<string, Map<string, number>>()
  /** The users that the followers know as present. */
  readonly told = new Set<string>()

  count(userId: string, by: 1 | -1): void {
    const count = (this.here.get(userId) ?? 0) + by
    if (count > 0) this.here.set(userId, count)
    else this.here.delete(userId)
  }

  believe(userId: string, node: string, untilMs: number | undefined): void {
    const nodes = this.elsewhere.get(userId) ?? new Map<string, number>()
    if (untilMs === undefined) nodes.delete(node)
    else nodes.set(node, untilMs)
    if (nodes.size > 0) this.elsewhere.set(userId, nodes)
    else this.elsewhere.delete(userId)
  }

  forget(nowMs: number): void {
    for (const [userId, nodes] of this.elsewhere)
      for (const [node, untilMs] of nodes) if (untilMs < nowMs) this.believe(userId, node, undefined)
  }

  /** Tells the followers who came and went since the last time. */
  tell(): void {
    const users = new Set([...this.here.keys(), ...this.elsewhere.keys()])
    const present = [...users].filter(userId => !this.told.has(userId))
    const absent = [...this.told].filter(userId => !users.has(userId))
    if (present.length + absent.length === 0) return
    for (const userId of present) this.told.add(userId)
    for (const userId of absent) this.told.delete(userId)
    for (const follower of this.followers) follower.presence({ present, absent })
  }
}
