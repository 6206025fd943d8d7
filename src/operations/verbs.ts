import {
  type Actor,
  type Device,
  EXCLUSIVE_VERBS,
  type Operation,
  type OperationRequest,
  type Protocol,
  READ_VERBS,
  restartOf,
  uspUse,
} from '../domain/index.ts'

/** Returns true for a request without an effect on the device. */
export function isRead(request: OperationRequest): boolean {
  return READ_VERBS.includes(request.verb)
}

/** Commands that replace the firmware of the device. */
const FIRMWARE_COMMAND = /\.FirmwareImage\.[^.]+\.(Download|Activate)\(\)$/

/** Returns true for an operation that no other one may overlap, over either protocol. */
export function isExclusive(request: OperationRequest): boolean {
  if (EXCLUSIVE_VERBS.includes(request.verb)) return true
  if (request.verb !== 'operate') return false
  return restartOf(request.command) !== undefined || FIRMWARE_COMMAND.test(request.command)
}

/** Returns the kind of a request that ends with a boot, also as a command; undefined for any other. */
export function bootKind(request: OperationRequest): 'reboot' | 'factoryReset' | 'download' | undefined {
  switch (request.verb) {
    case 'reboot':
    case 'factoryReset':
    case 'download':
      return request.verb
    case 'upgrade':
      return 'download'
    case 'operate':
      return restartOf(request.command)
    default:
      return undefined
  }
}

/** Returns true for reboots and resets, whose only effect is a restart of the device. */
export function isRestart(request: OperationRequest): boolean {
  const kind = bootKind(request)
  return kind === 'reboot' || kind === 'factoryReset'
}

/** Returns true when only a completion shows the outcome after a lost answer: no read does. */
export function endsByCompletion(request: OperationRequest): boolean {
  return request.verb === 'operate' || EXCLUSIVE_VERBS.includes(request.verb)
}

/** Returns the protocol that an operation needs; undefined when any will do. */
export function protocolOf(operation: Pick<Operation, 'via' | 'request'>, owner: Protocol): Protocol | undefined {
  return operation.via ?? (isRead(operation.request) ? undefined : owner)
}

/**
 * Returns true when an operation, or with `reads` a read about it, may go over the USP link of a device that has one.
 */
export function mayUseUsp(
  { actor, request, via }: Pick<Operation, 'actor' | 'request' | 'via'>,
  device: Pick<Device, 'owner' | 'migration'>,
  reads = isRead(request),
): boolean {
  const use = uspUse(device)
  if (use === 'all') return true
  if (use === 'none') return false
  return (via === 'usp' && isTrusted(actor)) || (use === 'reads' && reads)
}

/**
 * Returns true for the planner and the system: they alone may write over the protocol that is not the owner, and to a
 * device that is being migrated.
 */
export function isTrusted({ kind }: Actor): boolean {
  return kind === 'planner' || kind === 'system'
}

/**
 * Returns true for an operation that holds back nothing while its protocol is absent: a read that is tied to a
 * protocol, and a write that the planner has tied to the protocol that does not own the device.
 */
export function waitsAlone({ via, request }: Operation, owner: Protocol): boolean {
  return via !== undefined && (isRead(request) || via !== owner)
}
