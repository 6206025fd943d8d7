import type { Log } from '../base/index.ts'
import {
  type Completion,
  type DeviceId,
  isVersion,
  type Operation,
  type OperationResult,
  type OperationState,
  type OperationStore,
  versionAfter,
} from '../domain/index.ts'
import { isOtherBoot } from './boot-reason.ts'
import { type CommandRows, runsInRows } from './command-rows.ts'
import type { Finisher } from './finish.ts'
import { bootKind } from './verbs.ts'

interface CompletionDeps {
  store: OperationStore
  finisher: Finisher
  commandRows: CommandRows
  log: Log
  /** Requests a pass over the device: operations that waited for the end may run. */
  again(deviceId: DeviceId): void
}

/** Open operations of a device that a boot may end. */
const OPEN_LOOK = 64
/** A completion for a `queued` operation proves that it was sent; it is never sent again. */
const ANY_OPEN: OperationState[] = ['queued', 'sent', 'unknown']

/**
 * Ends the operation that a completion is about; the end is durable when it resolves. Each end is conditional on the
 * state, so a completion that is repeated, or that arrives before the answer to the request, has no second effect.
 */
export async function complete(completion: Completion, deps: CompletionDeps): Promise<void> {
  const isBoot = completion.kind === 'boot' || completion.kind === 'reset'
  const isEnded = isBoot ? await endByBoot(completion, deps) : await endByKey(completion, deps)
  if (isEnded) deps.again(completion.deviceId)
}

async function endByKey(completion: Completion, deps: CompletionDeps): Promise<boolean> {
  const { store, finisher, commandRows, log } = deps
  const { commandKey, deviceId, protocol } = completion
  const operation = commandKey === '' ? undefined : await store.get(commandKey)
  if (operation === undefined || operation.deviceId !== deviceId) {
    log.debug({ deviceId, commandKey, kind: completion.kind }, 'completion of an unknown operation ignored')
    return false
  }
  if (isFollowedByBoot(operation, completion)) return false
  if (completion.command !== undefined && runsInRows(operation.request)) {
    const isEnded = await commandRows.completed(operation, completion, ANY_OPEN)
    if (isEnded !== undefined) return isEnded
  }
  const result: OperationResult = { outcome: completion.fault === undefined ? 'done' : 'failed', results: [] }
  if (completion.output !== undefined) result.output = completion.output
  if (completion.fault !== undefined) result.error = completion.fault
  const state = completion.fault === undefined ? 'done' : 'failed'
  return finisher.finish(operation, ANY_OPEN, state, result, operation.sentVia ?? protocol)
}

/**
 * Returns true for a completion of a download that is followed by a boot. An Agent reports the end of Download() when
 * the image is stored; the image runs after the boot that activates it (TR-181 FirmwareImage.{i}.Download,
 * AutoActivate). A CPE should send TransferComplete when all is done, but some send it before they boot. Where the
 * expected version is known, the boot that shows it is the end.
 */
function isFollowedByBoot({ request }: Operation, { protocol, fault, softwareVersion }: Completion): boolean {
  const version = versionAfter(request)
  if (version === undefined || fault !== undefined || isVersion(softwareVersion, version)) return false
  if (protocol === 'cwmp') return softwareVersion !== undefined
  return request.verb === 'download' && request.activate !== false
}

async function endByBoot(completion: Completion, { store, finisher }: CompletionDeps): Promise<boolean> {
  const open = await store.open(completion.deviceId, OPEN_LOOK)
  let ended = false
  for (const operation of open) {
    if (operation.state === 'queued' || !isEndedByBoot(operation, completion)) continue
    const result: OperationResult = { outcome: 'done', results: [] }
    ended = (await finisher.finish(operation, ['sent', 'unknown'], 'done', result)) || ended
  }
  return ended
}

/**
 * Returns true when a boot is the end of an operation. A reboot ends with any boot after it was sent, because many CPE
 * name no cause (TR-069 3.7.1.5), unless an Agent says that the boot is another one. A reset that was accepted ends the
 * same way; one whose answer was lost ends with a BOOTSTRAP or with its own key. A download ends with its expected
 * version.
 */
function isEndedByBoot(operation: Operation, completion: Completion): boolean {
  if (operation.sentAt === undefined || completion.at < operation.sentAt) return false
  const isReset = completion.kind === 'reset'
  // A CPE repeats the keys of earlier reboots until its Inform is answered: they say nothing of this boot.
  const isOther = completion.protocol === 'usp' && isOtherBoot(operation, completion)
  switch (bootKind(operation.request)) {
    case 'reboot':
      return !isReset && !isOther
    case 'factoryReset':
      return (
        isReset ||
        (operation.result?.outcome === 'pending' && !isOther) ||
        completion.bootstrap === true ||
        completion.commandKey === operation.id
      )
    case 'download': {
      const version = versionAfter(operation.request)
      return !isReset && version !== undefined && isVersion(completion.softwareVersion, version)
    }
    case undefined:
      return false
  }
}
