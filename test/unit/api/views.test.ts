import { expect, it } from 'vitest'
import { operationView } from '../../../src/api/views/views.ts'
import { deviceIdOf, type Operation, type OperationRequest } from '../../../src/domain/index.ts'

function operation(request: OperationRequest, results: { path: string; value?: string }[] = []): Operation {
  return {
    id: 'o1',
    deviceId: deviceIdOf({ oui: '0C96BF', productClass: 'Box', serial: '1' }),
    request,
    state: 'done',
    actor: { kind: 'apiKey', id: 'k' },
    createdAt: 0,
    expiresAt: 1000,
    attempts: 1,
    result: { outcome: 'done', results },
  } as Operation
}

it('shows no secret of a request or its results, and everything else', () => {
  const path = 'Device.WiFi.AccessPoint.1.Security.KeyPassphrase'
  const ssid = { path: 'Device.WiFi.SSID.1.SSID', value: 'home' }
  const requests: OperationRequest[] = [
    { verb: 'set', values: [{ path, value: 'tell-nobody' }, ssid] },
    { verb: 'add', object: 'Device.Users.User.', values: { Username: 'ann', Password: 'tell-nobody' } },
    { verb: 'operate', command: 'Device.X()', input: { Password: 'tell-nobody', Host: 'a' } },
  ]
  for (const request of requests) {
    const shown = JSON.stringify(operationView(operation(request, [{ path, value: 'tell-nobody' }, ssid])))
    expect(shown).not.toContain('tell-nobody')
    expect(shown).toContain('[secret]')
    expect(shown).toContain('"home"')
  }
  expect(JSON.stringify(operationView(operation(requests[1] as OperationRequest)))).toContain('ann')
})
