import { AppError } from '../base/index.ts'

/** The route of the API that lists the records of each kind. */
const LISTS = {
  device: '/devices',
  group: '/groups',
  plan: '/plans',
  operation: '/operations',
  conflict: '/conflicts',
  'pending Agent': '/pending-agents',
  'supported model': '/supported-models',
  'set of mapping rows': '/mapping-rows',
  bridge: '/bridges',
  router: '/bridges/{id}/routers',
} as const

/** Returns the AppError `notFound` for an id that no record of this kind has. */
export function notFound(kind: keyof typeof LISTS, id: string, cause?: unknown): AppError {
  const text = `there is no ${kind} ${id}; GET ${LISTS[kind]} lists those that exist`
  return new AppError('notFound', text, { cause, context: { id } })
}
