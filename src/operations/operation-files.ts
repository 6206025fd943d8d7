import {
  type Device,
  type DeviceStore,
  isFinal,
  needsConfirmation,
  type OperationRequest,
  type OperationStore,
} from '../domain/index.ts'
import type { FileSource } from '../files/index.ts'
import { descriptorOf, renderScript, templateOf } from '../router-files/index.ts'

/** Returns the file that a request gives to its device; undefined for one that gives none. `mask` stands for secrets. */
export function textOfFile(
  request: OperationRequest,
  { softwareVersion }: Pick<Device, 'softwareVersion'>,
  mask?: string,
): string | undefined {
  if (request.verb === 'upgrade') return descriptorOf(request.packages)
  const template = request.verb === 'script' ? templateOf(request.template) : undefined
  if (request.verb !== 'script' || template === undefined) return undefined
  return renderScript(template, request.parameters, softwareVersion, mask)
}

/**
 * Returns the source of the files of operations: each is there while its operation is sent and has not ended, and as long
 * as its router has the policy that it needs.
 */
export function createOperationFiles({
  operations,
  devices,
}: {
  operations: Pick<OperationStore, 'get'>
  devices: Pick<DeviceStore, 'get'>
}): FileSource {
  return {
    async read(id) {
      const operation = await operations.get(id)
      if (operation === undefined || operation.state === 'queued' || isFinal(operation)) return undefined
      const device = await devices.get(operation.deviceId)
      if (device === undefined || (needsConfirmation(operation.request) && device.routerPolicy?.level !== 'L3'))
        return undefined
      const text = textOfFile(operation.request, device)
      const type = operation.request.verb === 'upgrade' ? 'application/xml' : 'text/plain; charset=utf-8'
      return text === undefined ? undefined : { body: Buffer.from(text), type }
    },
  }
}
