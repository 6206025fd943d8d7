/** Floor 7: the REST API, its description, keys and metrics. */
export { Api } from './api.ts'
export { createMetrics, type Metrics } from './metrics.ts'
export type { ApiDeps } from './ports.ts'
