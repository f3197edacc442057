import Fastify, { type FastifyInstance } from 'fastify'
import type { Config } from './config.ts'
import { domains } from './domains/index.ts'
import { accessPlugin } from './plugins/access.ts'
import { accountsPlugin } from './plugins/accounts.ts'
import { addressPlugin } from './plugins/address.ts'
import { aiPlugin } from './plugins/ai/index.ts'
import { authPlugin } from './plugins/auth.ts'
import { bodyPlugin } from './plugins/body.ts'
import { buffersPlugin } from './plugins/buffers.ts'
import { cachePlugin } from './plugins/cache.ts'
import { compressionPlugin } from './plugins/compression.ts'
import { conditionalPlugin } from './plugins/conditional.ts'
import { connectionsPlugin } from './plugins/connections.ts'
import { databasePlugin } from './plugins/database.ts'
import { deadlinePlugin } from './plugins/deadline.ts'
import { domainsPlugin } from './plugins/domains.ts'
import { effectsPlugin } from './plugins/effects.ts'
import { encryptionPlugin } from './plugins/encryption.ts'
import { errorsPlugin } from './plugins/errors.ts'
import { eventsPlugin } from './plugins/events.ts'
import { graphqlPlugin } from './plugins/graphql/index.ts'
import { guardPlugin } from './plugins/guard.ts'
import { headPlugin } from './plugins/head.ts'
import { healthPlugin } from './plugins/health.ts'
import { idempotencyPlugin } from './plugins/idempotency/index.ts'
import { jobsPlugin } from './plugins/jobs.ts'
import { loadPlugin } from './plugins/load.ts'
import { mailPlugin } from './plugins/mail/index.ts'
import { observabilityPlugin } from './plugins/observability.ts'
import { openapiPlugin } from './plugins/openapi/index.ts'
import { outboundPlugin } from './plugins/outbound/index.ts'
import { pagesPlugin } from './plugins/pages.ts'
import { paymentsPlugin } from './plugins/payments/index.ts'
import { rateLimitPlugin } from './plugins/rate-limit/index.ts'
import { redisPlugin } from './plugins/redis.ts'
import { replicasPlugin } from './plugins/replicas/index.ts'
import { requestPlugin } from './plugins/request.ts'
import { requestCountsPlugin } from './plugins/request-counts.ts'
import { revocationPlugin } from './plugins/revocation.ts'
import { rootPlugin } from './plugins/root.ts'
import { routesPlugin } from './plugins/routes.ts'
import { securityPlugin } from './plugins/security.ts'
import { serializationPlugin } from './plugins/serialization.ts'
import { serverOptions } from './plugins/server.ts'
import { signalsPlugin } from './plugins/signals.ts'
import { socketsPlugin } from './plugins/sockets/index.ts'
import { storagePlugin } from './plugins/storage/index.ts'
import { streamsPlugin } from './plugins/streams/index.ts'
import { tokensPlugin } from './plugins/tokens.ts'
import { tracingPlugin } from './plugins/tracing/index.ts'
import { validationPlugin } from './plugins/validation.ts'

/** Builds the application on a migrated database, without listening: plugins in a fixed order, then every domain. */
export async function buildApp(config: Config & { databaseUrl: string }): Promise<FastifyInstance> {
  const { databaseUrl: url, databaseFastPath: fastPath, databaseAcquireMs: acquireMs } = config
  const app = Fastify(serverOptions(config))
  await app.register(tracingPlugin, config)
  await app.register(databasePlugin, { url, pool: config.databasePool, acquireMs, fastPath })
  await app.register(buffersPlugin)
  await app.register(connectionsPlugin)
  await app.register(requestPlugin)
  await app.register(observabilityPlugin, config)
  await app.register(addressPlugin, config)
  await app.register(errorsPlugin, config)
  await app.register(routesPlugin)
  await app.register(deadlinePlugin)
  await app.register(securityPlugin, config)
  await app.register(guardPlugin)
  await app.register(bodyPlugin)
  await app.register(validationPlugin)
  await app.register(serializationPlugin)
  await app.register(loadPlugin, config)
  await app.register(redisPlugin, config)
  await app.register(rateLimitPlugin, { perMinute: config.rateLimit })
  await app.register(signalsPlugin)
  await app.register(cachePlugin, config)
  await app.register(compressionPlugin)
  await app.register(headPlugin)
  await app.register(openapiPlugin, config)
  await app.register(tokensPlugin, { signingKeys: config.signingKeys, issuer: config.publicUrl })
  await app.register(revocationPlugin)
  await app.register(authPlugin)
  await app.register(requestCountsPlugin)
  await app.register(replicasPlugin, { ...config.replicas, fastPath })
  await app.register(accessPlugin)
  await app.register(streamsPlugin)
  await app.register(socketsPlugin, config)
  await app.register(accountsPlugin)
  await app.register(conditionalPlugin)
  await app.register(eventsPlugin, config)
  await app.register(effectsPlugin)
  await app.register(idempotencyPlugin)
  await app.register(outboundPlugin, config)
  await app.register(encryptionPlugin, config)
  await app.register(jobsPlugin, { url, works: config.works, fastPath })
  await app.register(mailPlugin, { ...config, from: config.mailFrom })
  await app.register(storagePlugin, config)
  await app.register(paymentsPlugin, config)
  await app.register(aiPlugin, config.ai)
  await app.register(healthPlugin)
  await app.register(rootPlugin)
  await app.register(pagesPlugin)
  await app.register(graphqlPlugin, config)
  await app.register(domainsPlugin, { domains, config })
  return app
}
