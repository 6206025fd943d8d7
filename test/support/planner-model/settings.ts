import type { PlanSettings } from '../../../src/domain/index.ts'
import { defaultPlanSettings } from '../../../src/planner/index.ts'
import { OUR_ENDPOINT, OUR_HOST } from './data-model.ts'

/**
 * Settings of every plan of the model, where a sequence gives no others. Times are short, so that a sequence sees many
 * of them pass.
 */
export const DEFAULTS: PlanSettings = {
  ...defaultPlanSettings({
    endpointId: OUR_ENDPOINT,
    host: OUR_HOST,
    port: 8183,
    path: '/usp',
    tls: false,
    periodicNotifIntervalS: 60,
  }),
  soakMs: 0,
  retryBackoffMs: 5000,
  gateMinSample: 1000,
  awaitUspTimeoutMs: 120_000,
  verifyTimeoutMs: 120_000,
  offlineTimeoutMs: 300_000,
  parityPaths: [],
}

/** Seconds; unlike the interval that the devices have. */
export const DORMANT_S = 86_400
