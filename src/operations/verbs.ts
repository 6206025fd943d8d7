import {
  type Actor,
  type Device,
  EXCLUSIVE_VERBS,
  FINAL_STATES,
  type Operation,
  type OperationRequest,
  type Protocol,
  READ_VERBS,
  restartOf,
  uspUse,
} from '../domain/index.ts'

/** Whether a request has no effect on the box. */
export function isRead(request: OperationRequest): boolean {
  return READ_VERBS.includes(request.verb)
}

/** Commands that replace what runs on the device. */
const FIRMWARE_COMMAND = /\.FirmwareImage\.[^.]+\.(Download|Activate)\(\)$/

/** Whether no other operation may overlap with this one, over either protocol. */
export function isExclusive(request: OperationRequest): boolean {
  if (EXCLUSIVE_VERBS.includes(request.verb)) return true
  if (request.verb !== 'operate') return false
  return restartOf(request.command) !== undefined || FIRMWARE_COMMAND.test(request.command)
}

/** What ends by a boot: reboots, resets and downloads, also as commands. */
export function bootKind(request: OperationRequest): 'reboot' | 'factoryReset' | 'download' | undefined {
  switch (request.verb) {
    case 'reboot':
    case 'factoryReset':
    case 'download':
      return request.verb
    case 'operate':
      return restartOf(request.command)
    default:
      return undefined
  }
}

/** Reboots and resets, whose only effect is a box that starts again. */
export function isRestart(request: OperationRequest): boolean {
  const kind = bootKind(request)
  return kind === 'reboot' || kind === 'factoryReset'
}

/** Whether a lost answer can only be explained by a later word of the device: reading tells nothing. */
export function endsByCompletion(request: OperationRequest): boolean {
  return request.verb === 'operate' || EXCLUSIVE_VERBS.includes(request.verb)
}

/** Whether nothing changes any more. */
export function isFinal(operation: Operation): boolean {
  return FINAL_STATES.includes(operation.state)
}

/** The protocol an operation needs; undefined: whichever is there. */
export function protocolOf(operation: Pick<Operation, 'via' | 'request'>, owner: Protocol): Protocol | undefined {
  return operation.via ?? (isRead(operation.request) ? undefined : owner)
}

/** Returns true when an operation, or with `reads` a read about it, may go over the USP link of a device that has one. */
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

/** Planner and system: they alone may write over the protocol that is not the owner, and to a device that is being migrated. */
export function isTrusted({ kind }: Actor): boolean {
  return kind === 'planner' || kind === 'system'
}

/** An actor in the words of the audit log. */
export function actorText(actor: Actor): string {
  return actor.id === '' || actor.id === actor.kind ? actor.kind : `${actor.kind}:${actor.id}`
}

/**
 * Returns true for an operation that holds back nothing while its protocol is absent: a read that is tied to a protocol, and a write that the
 * planner has tied to the protocol that does not own the device.
 */
export function waitsAlone({ via, request }: Operation, owner: Protocol): boolean {
  return via !== undefined && (isRead(request) || via !== owner)
}
