import { describe, expect, it } from 'vitest'
import { AppError } from '../../../src/base/index.ts'
import {
  type Actor,
  asDeviceId,
  type Device,
  type MemberState,
  type OperationRequest,
  type Protocol,
} from '../../../src/domain/index.ts'
import { authorize } from '../../../src/operations/authorize.ts'

const reboot: OperationRequest = { verb: 'reboot' }
const get: OperationRequest = { verb: 'get', paths: ['Device.USPAgent.'] }
const set = (path: string): OperationRequest => ({ verb: 'set', values: [{ path, value: '1' }] })

function outcome(kind: Actor['kind'], request: OperationRequest, via?: Protocol, state?: MemberState): string {
  const device: Pick<Device, 'id' | 'owner' | 'migration'> = { id: asDeviceId('00256D-Box-1'), owner: 'cwmp' }
  if (state !== undefined) device.migration = { planId: 'p', state, at: 1 }
  try {
    authorize({ kind, id: 'x' }, device, request, via)
    return 'ok'
  } catch (error) {
    return error instanceof AppError ? error.code : 'broken'
  }
}

describe('a file for a MikroTik router over CWMP', () => {
  const asked = (request: OperationRequest, device: Partial<Device>) => {
    try {
      authorize(
        { kind: 'apiKey', id: 'x' },
        { id: asDeviceId('E48D8C-a-1'), owner: 'cwmp', ...device },
        request,
        undefined,
      )
      return 'ok'
    } catch (error) {
      return error instanceof AppError ? error.code : 'broken'
    }
  }
  const download = (fileType?: string): OperationRequest => ({
    verb: 'download',
    url: 'https://h/f',
    ...(fileType === undefined ? {} : { fileType }),
  })

  it.each([
    download(),
    download('3 Vendor Configuration File'),
    download('X MIKROTIK Factory Configuration File'),
    { verb: 'script', template: 'identity', parameters: {} },
    { verb: 'upgrade', packages: [] },
  ] as OperationRequest[])('needs the policy L3 of the router: %j', (request) => {
    const router = { manufacturer: 'MikroTik' }
    expect(asked(request, router)).toBe('forbidden')
    expect(asked(request, { ...router, routerPolicy: { level: 'L2' } })).toBe('forbidden')
    expect(asked(request, { ...router, routerPolicy: { level: 'L3' } })).toBe('ok')
  })

  it('is a download like any other to another device, and to a router that a bridge owns', () => {
    expect(asked(download(), { manufacturer: 'Acme' })).toBe('ok')
    expect(asked(download(), { manufacturer: 'MikroTik', owner: 'usp' })).toBe('ok')
    expect(asked({ verb: 'reboot' }, { manufacturer: 'MikroTik' })).toBe('ok')
  })
})

describe('authorization', () => {
  const rows: [Actor['kind'], OperationRequest, Protocol | undefined, MemberState | undefined, string][] = [
    // The owner carries writes; reads may go either way; planner and system may force a way.
    ['apiKey', reboot, undefined, undefined, 'ok'],
    ['apiKey', reboot, 'cwmp', undefined, 'ok'],
    ['apiKey', reboot, 'usp', undefined, 'forbidden'],
    ['operator', reboot, 'usp', undefined, 'forbidden'],
    ['planner', reboot, 'usp', undefined, 'ok'],
    ['system', reboot, 'usp', undefined, 'ok'],
    ['apiKey', get, 'usp', undefined, 'ok'],
    // During a migration only the planner writes the management parameters.
    ['apiKey', reboot, undefined, 'VERIFYING', 'conflict'],
    ['apiKey', { verb: 'factoryReset' }, undefined, 'DUAL', 'conflict'],
    ['apiKey', { verb: 'download', url: 'http://127.0.0.1/' }, undefined, 'ROLLING_BACK', 'conflict'],
    ['apiKey', { verb: 'operate', command: 'Device.Reboot()', input: {} }, undefined, 'PREPARING', 'conflict'],
    ['apiKey', set('Device.USPAgent.Controller.1.Enable'), undefined, 'PREPARING', 'conflict'],
    ['apiKey', set('Device.LocalAgent.Controller.1.Enable'), undefined, 'BINDING', 'conflict'],
    ['apiKey', set('Device.ManagementServer.URL'), undefined, 'RETIRING', 'conflict'],
    ['apiKey', set('InternetGatewayDevice.ManagementServer.URL'), undefined, 'RETIRING', 'conflict'],
    ['apiKey', { verb: 'delete', paths: ['Device.LocalAgent.Controller.1.'] }, undefined, 'DUAL', 'conflict'],
    ['apiKey', { verb: 'add', object: 'Device.USPAgent.Controller.', values: {} }, undefined, 'DUAL', 'conflict'],
    ['apiKey', set('Device.WiFi.SSID.1.SSID'), undefined, 'DUAL', 'ok'],
    ['apiKey', set('Device.ManagementServer.PeriodicInformInterval'), undefined, 'DUAL', 'ok'],
    ['apiKey', get, undefined, 'DUAL', 'ok'],
    ['planner', reboot, undefined, 'VERIFYING', 'ok'],
    ['planner', set('Device.USPAgent.Controller.1.Enable'), undefined, 'PREPARING', 'ok'],
    // Before and after a migration no other rule holds.
    ['apiKey', reboot, undefined, 'QUEUED', 'ok'],
    ['apiKey', reboot, undefined, 'MIGRATED', 'ok'],
    ['apiKey', reboot, undefined, 'FAILED', 'ok'],
  ]
  it.each(rows)('%s asks %j via %s while %s: %s', (kind, request, via, state, expected) => {
    expect(outcome(kind, request, via, state)).toBe(expected)
  })
})
