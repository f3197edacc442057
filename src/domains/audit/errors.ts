import { invalidParameter } from '../../lib/errors.ts'

/** An API key belongs to one organization; a user must name it. */
export const organizationMissing = () => invalidParameter('organizationId', 'is required of a user')
