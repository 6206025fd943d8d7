import type { Permission } from '../permission.ts'
import type { Verb } from './operation.ts'

/** The permission that each verb needs. */
export const VERB_PERMISSION: Record<Verb, Permission> = {
  get: 'verbs.query',
  instances: 'verbs.query',
  supported: 'verbs.query',
  discover: 'verbs.query',
  set: 'verbs.configure',
  add: 'verbs.configure',
  delete: 'verbs.configure',
  subscribe: 'verbs.configure',
  operate: 'verbs.command',
  download: 'verbs.firmware',
  script: 'verbs.script',
  upgrade: 'verbs.firmware',
  reboot: 'verbs.restart',
  factoryReset: 'verbs.reset',
}
