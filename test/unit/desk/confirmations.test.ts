import { describe, expect, it } from 'vitest'
import { systemRandom } from '../../../src/base/index.ts'
import { Confirmations } from '../../../src/desk/index.ts'
import { asDeviceId, type OperationRequest } from '../../../src/domain/index.ts'
import { createSecretBox } from '../../../src/security/index.ts'
import { createManualClock } from '../../support/manual-clock.ts'

const request: OperationRequest = { verb: 'script', template: 'identity', parameters: { name: 'a', zone: 'b' } }
const confirmed = { actor: 'apiKey:1', deviceId: asDeviceId('E48D8C-a-1'), request, idempotencyKey: undefined }

function made(key = 'key', clock = createManualClock()) {
  const box = createSecretBox(key, systemRandom)
  return { clock, confirmations: new Confirmations((purpose, text) => box.mac(purpose, text), clock) }
}

describe('a token that confirms a request', () => {
  it('is good for two minutes, also at another instance and after a restart', () => {
    const { clock, confirmations } = made()
    const { confirm, expiresAt } = confirmations.refusal(undefined, confirmed, undefined)
    expect(expiresAt - clock.now()).toBe(120_000)
    expect(confirmations.isGood(confirm, confirmed)).toBe(true)
    expect(made('key', clock).confirmations.isGood(confirm, confirmed)).toBe(true)
    expect(made('another', clock).confirmations.isGood(confirm, confirmed)).toBe(false)
    clock.advance(120_000)
    expect(confirmations.isGood(confirm, confirmed)).toBe(false)
  })

  it('is for the same party, device, key and request, whatever the order of names in it', () => {
    const { confirmations } = made()
    const { confirm } = confirmations.refusal(undefined, confirmed, undefined)
    const same: OperationRequest = { template: 'identity', parameters: { zone: 'b', name: 'a' }, verb: 'script' }
    expect(confirmations.isGood(confirm, { ...confirmed, request: same })).toBe(true)
    for (const other of [
      { actor: 'apiKey:2' },
      { deviceId: asDeviceId('E48D8C-a-2') },
      { idempotencyKey: 'k' },
      { request: { ...same, parameters: { zone: 'b', name: 'c' } } },
      { request: { ...same, template: 'time-zone' } },
    ])
      expect(confirmations.isGood(confirm, { ...confirmed, ...other }), JSON.stringify(other)).toBe(false)
  })

  it('is refused in any other form, and its refusal has another token', () => {
    const { confirmations } = made()
    const { confirm } = confirmations.refusal(undefined, confirmed, undefined)
    for (const text of ['', '.', 'x', `${confirm}0`, confirm.toUpperCase(), confirm.replace('.', '..'), `z${confirm}`])
      expect(confirmations.isGood(text, confirmed), text).toBe(false)
    const refusal = confirmations.refusal('x', confirmed, 'the file')
    expect(refusal.message).toMatch(/not good for it, or is over/)
    expect(refusal.preview).toBe('the file')
    expect(confirmations.isGood(refusal.confirm, confirmed)).toBe(true)
  })
})
