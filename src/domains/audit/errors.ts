import { requestErrors } from '../../lib/errors.ts'

const detail = 'is required of a user'

/** A key has one organization; a user has to say which. */
export const organizationMissing = () =>
  requestErrors.validation_failed({
    detail: `organizationId ${detail}`,
    errors: [{ pointer: 'querystring:/organizationId', detail }],
  })
