const filters: string[] = ['*']
/**
 * What a subscription may ask for: each type that an organization has events of, `task.*` for all of a target, and `*`.
 * It is filled while the domains are loaded.
 */
export const eventFilters: readonly string[] = filters

/** Adds the types of events of one target. */
export function declareEventFilters(target: string, actions: readonly string[]): void {
  if (actions.length > 0) filters.push(`${target}.*`, ...actions.map(action => `${target}.${action}`))
}
