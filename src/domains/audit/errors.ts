import { invalidParameter } from '../../lib/errors.ts'

/** A key has one organization; a user has to say which. */
export const organizationMissing = () => invalidParameter('organizationId', 'is required of a user')
