import type { Log } from '../base/index.ts'
import type {
  Completion,
  DeviceId,
  Operation,
  OperationResult,
  OperationState,
  OperationStore,
} from '../domain/index.ts'
import type { Finisher } from './finish.ts'
import { bootKind } from './verbs.ts'

interface CompletionDeps {
  store: OperationStore
  finisher: Finisher
  log: Log
  /** Another pass over the device: what waited for the end may go on. */
  again(deviceId: DeviceId): void
}

const OPEN_LOOK = 64
// A word about an operation that we believe never left proves that it did: it must not be sent once more.
const ANY_OPEN: OperationState[] = ['queued', 'sent', 'unknown']

/**
 * Takes in what devices tell about operations they accepted before. Each end is a conditional change of state, so a word that is repeated,
 * or that comes before the answer to the request itself, does no harm; what it ends is journaled when the promise resolves.
 */
export function createCompletion({
  store,
  finisher,
  log,
  again,
}: CompletionDeps): (completion: Completion) => Promise<void> {
  return async (completion) => {
    const ended =
      completion.kind === 'boot' || completion.kind === 'reset'
        ? await endByBoot(completion, store, finisher)
        : await endByKey(completion, store, finisher, log)
    if (ended) again(completion.deviceId)
  }
}

async function endByKey(completion: Completion, store: OperationStore, finisher: Finisher, log: Log): Promise<boolean> {
  const { commandKey, deviceId, protocol } = completion
  const operation = commandKey === '' ? undefined : await store.get(commandKey)
  if (operation === undefined || operation.deviceId !== deviceId) {
    log.debug({ deviceId, commandKey, kind: completion.kind }, 'completion of nothing we asked for')
    return false
  }
  if (isHalfWay(operation, completion)) return false
  const result: OperationResult = { outcome: completion.fault === undefined ? 'done' : 'failed', results: [] }
  if (completion.output !== undefined) result.output = completion.output
  if (completion.fault !== undefined) result.error = completion.fault
  const state = completion.fault === undefined ? 'done' : 'failed'
  return finisher.finish(operation, ANY_OPEN, state, result, operation.sentVia ?? protocol)
}

/**
 * An Agent tells the end of Download() when the image is there; it runs after the boot that activates it (TR-181 FirmwareImage.{i}.Download,
 * AutoActivate). A TransferComplete of CWMP is to come when all is done, but boxes send it before they boot as well. Where the version to
 * come is known, the boot that shows it is the end.
 */
function isHalfWay({ request }: Operation, { protocol, fault, softwareVersion }: Completion): boolean {
  if (request.verb !== 'download' || fault !== undefined || request.version === undefined) return false
  if (protocol === 'cwmp') return softwareVersion !== undefined && request.version !== softwareVersion
  return request.activate !== false && request.version !== softwareVersion
}

async function endByBoot(completion: Completion, store: OperationStore, finisher: Finisher): Promise<boolean> {
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
 * Whether this boot is the end of that operation. A reboot ends with any boot after it was sent (a box that names no cause is common,
 * TR-069 3.7.1.5); so does a reset that was accepted, and one whose answer was lost with a bootstrap or its own key; a download with the
 * version it was to bring.
 */
function isEndedByBoot(operation: Operation, completion: Completion): boolean {
  if (operation.sentAt === undefined || completion.at < operation.sentAt) return false
  const told = completion.kind === 'reset'
  switch (bootKind(operation.request)) {
    case 'reboot':
      return !told
    case 'factoryReset':
      return (
        told ||
        operation.result?.outcome === 'pending' ||
        completion.bootstrap === true ||
        completion.commandKey === operation.id
      )
    case 'download':
      return (
        !told &&
        operation.request.verb === 'download' &&
        operation.request.version !== undefined &&
        operation.request.version === completion.softwareVersion
      )
    case undefined:
      return false
  }
}
