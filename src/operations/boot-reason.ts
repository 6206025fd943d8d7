import type { Operation, UspFacts } from '../domain/index.ts'
import { bootKind } from './verbs.ts'

/** The reason that an Agent gives for a boot (TR-181 Device.Boot!); empty or absent: it gives none. */
interface BootReason {
  cause?: string
  commandKey?: string
}

/**
 * Returns true when an Agent says of a boot that it is not the end of this reboot or reset: it names the key of another
 * command, or a Cause of the other kind. An Agent that says nothing, or has a Cause of its own, contradicts nothing.
 * Nor does LocalReboot contradict a reboot: an Agent that keeps no reason over a restart says so.
 */
export function isOtherBoot(
  { id, request }: Pick<Operation, 'id' | 'request'>,
  { cause = '', commandKey = '' }: BootReason,
): boolean {
  if (commandKey === id) return false
  switch (bootKind(request)) {
    case 'reboot':
      return commandKey !== '' || isReset(cause)
    case 'factoryReset':
      // Whoever asked for it: a device that says it was reset is as it was asked to be.
      return !isReset(cause) && (commandKey !== '' || /^(Local|Remote)?Reboot$/.test(cause))
    default:
      return false
  }
}

/** Returns the time of the last boot that the record shows, after this time, where it is not the end of the operation. */
export function otherBootAfter(
  operation: Pick<Operation, 'id' | 'request'>,
  { lastBootAt = 0, lastBootCause: cause = '', lastBootKey: commandKey = '' }: Partial<UspFacts>,
  after: number,
): number | undefined {
  return lastBootAt > after && isOtherBoot(operation, { cause, commandKey }) ? lastBootAt : undefined
}

function isReset(cause: string): boolean {
  return cause.includes('FactoryReset')
}
