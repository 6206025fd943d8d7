import { expect, it } from 'vitest'
import type { Actor, OperationRequest } from '../../../src/domain/index.ts'
import { refuseMasks } from '../../../src/operations/masks.ts'

const USER: Actor = { kind: 'apiKey', id: 'k1' }
const PATH = 'Device.LocalAgent.Controller.2.MTP.1.WebSocket.Path'
const KEY = 'Device.WiFi.AccessPoint.1.Security.KeyPassphrase'
const set = (path: string, value: string): OperationRequest => ({ verb: 'set', values: [{ path, value }] })

it.each<[string, OperationRequest]>([
  [PATH, set(PATH, '/usp/[secret]')],
  [KEY, set(KEY, '[secret]')],
  [
    'Device.LocalAgent.Controller.2.MTP.{i}.WebSocket.Path',
    { verb: 'add', object: 'Device.LocalAgent.Controller.2.MTP.', values: { 'WebSocket.Path': '/usp/[secret]' } },
  ],
  ['Password', { verb: 'operate', command: 'Device.Any()', input: { Password: '[secret]' } }],
  ['Password', { verb: 'download', url: 'http://files/1', fileType: '1 Firmware Upgrade Image', password: '[secret]' }],
])('a mask that was read is not written in place of the secret: %s', (path, request) => {
  expect(() => refuseMasks(USER, request)).toThrow(`${path} has [secret]`)
  expect(() => refuseMasks({ kind: 'planner', id: 'p1' }, request)).not.toThrow()
})

it('the same text passes where nothing is masked', () => {
  expect(() => refuseMasks(USER, set('Device.WiFi.SSID.1.SSID', '[secret]'))).not.toThrow()
  expect(() => refuseMasks(USER, set(PATH, '/usp'))).not.toThrow()
})
