import { describe, expect, it } from 'vitest'
import {
  type AgentClaim,
  type BindingProof,
  bindChange,
  type Device,
  decideArrival,
  deviceIdOf,
  type EndpointId,
  newDevice,
  provesMore,
  strongerOf,
} from '../../../src/domain/index.ts'

const identity = { oui: '00256D', productClass: 'Box', serial: 'S1' }
const id = deviceIdOf(identity)
const eid = 'os::00256D-S1' as EndpointId
const now = 1000

function device(changes: Partial<Device> = {}): Device {
  return { ...newDevice(id, identity, 'cwmp', 1), ...changes }
}
const bound = device({ binding: { endpointId: eid, proof: 'bound', at: 1 } })
const claim = (changes: Partial<AgentClaim> = {}): AgentClaim => ({
  endpointId: eid,
  shown: identity,
  certificate: false,
  ...changes,
})
const other = { ...identity, serial: 'S2' }
const nothing = { oui: '', productClass: '', serial: '' }
const refusedFor = (code: string) => expect.objectContaining({ kind: 'refused', code })

describe('decideArrival of an Agent in a bridge', () => {
  const cwmp = { oui: 'E48D8C', productClass: 'hAP ac^2', serial: 'B8+1' }
  const endpointId = 'os::48A98A-B8%2B1' as EndpointId
  const router = device({
    ...newDevice(deviceIdOf(cwmp), cwmp, 'cwmp', 1),
    binding: { endpointId, proof: 'bridge', at: 1 },
  })
  const bridged = (shown: typeof cwmp, certificate = true) =>
    decideArrival({ endpointId, shown, certificate }, router, undefined, 'certificate', now)

  it.each(['RBD52G-5HacD2HnD', 'hAP ac^2', 'hAP ac²', ''])('knows it by its serial number, as model %j', (name) => {
    expect(bridged({ oui: '48A98A', productClass: name, serial: 'B8+1' })).toEqual({ kind: 'known', device: router })
  })

  it('demands its certificate, and opens a Conflict for another serial number', () => {
    expect(bridged(cwmp, false)).toEqual(refusedFor('noCertificate'))
    expect(bridged({ ...cwmp, serial: 'B8+2' }).kind).toBe('conflict')
  })
})

describe('decideArrival', () => {
  it('knows an Agent whose Endpoint ID is bound once it has shown its identity, and not before', () => {
    expect(decideArrival({ endpointId: eid, certificate: false }, bound, undefined, 'bound', now)).toEqual({
      kind: 'read',
    })
    const known = { kind: 'known', device: bound }
    expect(decideArrival(claim(), bound, undefined, 'bound', now)).toEqual(known)
    expect(decideArrival(claim({ stated: identity }), bound, undefined, 'bound', now)).toEqual(known)
  })

  it.each([
    ['nothing at all', nothing],
    ['no ProductClass', { ...identity, productClass: '' }],
    ['no OUI', { ...identity, oui: '' }],
    ['no SerialNumber', { ...identity, serial: '' }],
    ['its OUI in small letters and blanks around its serial', { ...identity, oui: '00256d', serial: ' S1 ' }],
  ])('takes an Agent that shows %s for the device that its Endpoint ID is bound to', (_name, shown) => {
    expect(decideArrival(claim({ shown }), bound, undefined, 'bound', now).kind).toBe('known')
  })

  it('takes an Agent that shows a ProductClass for a device that stated none over CWMP', () => {
    const classless = device({ ...bound, productClass: '' })
    expect(decideArrival(claim(), classless, undefined, 'bound', now).kind).toBe('known')
  })

  it.each([
    ['DeviceInfo shows another serial', claim({ shown: other }), bound],
    ['DeviceInfo shows another OUI', claim({ shown: { ...identity, oui: '00256E' } }), bound],
    ['DeviceInfo shows another class', claim({ shown: { ...identity, productClass: 'Tub' } }), bound],
    ['DeviceInfo shows another serial and nothing else', claim({ shown: { ...nothing, serial: 'S2' } }), bound],
    ['the OnBoardRequest names another device', claim({ stated: other }), bound],
    [
      'the Endpoint ID carries another serial',
      claim({ endpointId: 'os::00256D-S9' as EndpointId, shown: nothing }),
      device({ binding: { endpointId: 'os::00256D-S9' as EndpointId, proof: 'bound', at: 1 } }),
    ],
    [
      'the Endpoint ID carries another OUI',
      claim({ endpointId: 'ops::00256E-Box-S1' as EndpointId }),
      device({ binding: { endpointId: 'ops::00256E-Box-S1' as EndpointId, proof: 'triple', at: 1 } }),
    ],
  ] as const)('does not take an Agent for its device when %s', (_name, asked, known) => {
    for (const admission of ['bound', 'open'] as const)
      expect(decideArrival(asked, known, undefined, admission, now)).toEqual(refusedFor('identityMismatch'))
    // A link that is proven is no rumour: a person looks at it.
    for (const proof of [{ certificate: true }, { secretOf: id }])
      expect(decideArrival({ ...asked, ...proof }, known, undefined, 'bound', now)).toMatchObject({
        kind: 'conflict',
        conflict: { deviceId: id, details: { boundTo: id } },
      })
    const foreign = { ...asked, secretOf: deviceIdOf(other) }
    expect(decideArrival(foreign, known, undefined, 'bound', now)).toEqual(refusedFor('identityMismatch'))
  })

  it('names in the Conflict both devices that a person may choose from', () => {
    const decision = decideArrival(claim({ shown: other, certificate: true }), bound, undefined, 'bound', now)
    expect(decision).toMatchObject({
      conflict: { kind: 'identityMismatch', details: { claimed: deviceIdOf(other), boundTo: id } },
      event: { type: 'device.conflict', deviceId: id },
    })
  })

  it('asks a certificate of an Agent that was bound by one', () => {
    const proven = device({ binding: { endpointId: eid, proof: 'certificate', at: 1 } })
    for (const asked of [claim(), claim({ stated: other }), { endpointId: eid, certificate: false }])
      expect(decideArrival(asked, proven, undefined, 'open', now)).toEqual(refusedFor('noCertificate'))
    expect(decideArrival(claim({ certificate: true }), proven, undefined, 'bound', now).kind).toBe('known')
  })

  it.each(['bound', 'triple'] as const)('takes a certificate as a better proof than %s', (proof) => {
    const weaker = device({ binding: { endpointId: eid, proof, at: 1 }, revision: 3 })
    expect(decideArrival(claim({ certificate: true }), weaker, undefined, 'bound', now)).toMatchObject({
      kind: 'bind',
      deviceId: id,
      change: { set: { binding: { endpointId: eid, proof: 'certificate', at: now } }, guard: { revision: 3 } },
    })
  })

  it.each(['operator', 'bound', 'triple'] as const)(
    'lets nobody in without a certificate when admission is `certificate`, also devices bound by %s',
    (proof) => {
      const before = device({ binding: { endpointId: eid, proof, at: 1 } })
      const refused = (asked: AgentClaim, byEndpoint?: Device, byIdentity?: Device) =>
        expect(decideArrival(asked, byEndpoint, byIdentity, 'certificate', now)).toEqual(refusedFor('noCertificate'))
      refused(claim(), before)
      refused(claim({ secretOf: id }), before)
      refused(claim({ endpointId: 'proto::other' as EndpointId }), undefined, before)
      refused({ endpointId: eid, certificate: false })
      expect(decideArrival(claim({ certificate: true }), before, undefined, 'certificate', now).kind).not.toBe(
        'refused',
      )
      expect(decideArrival(claim({ certificate: true }), undefined, device(), 'certificate', now).kind).toBe('bind')
    },
  )

  it('asks a certificate of an Agent that has shown one, also when an operator has bound it since or before', () => {
    const binding = { endpointId: eid, proof: 'certificate' as const, at: 1 }
    const { set } = bindChange(id, identity, device({ binding }), eid, 'operator', now)
    expect(set?.binding).toEqual({ endpointId: eid, proof: 'operator', certificate: true, at: now })
    const decided = device(set)
    expect(decideArrival(claim(), decided, undefined, 'open', now)).toEqual(refusedFor('noCertificate'))
    expect(decideArrival(claim({ certificate: true }), decided, undefined, 'open', now).kind).toBe('known')
    expect(bindChange(id, identity, decided, eid, 'operator', now)).toEqual({ deviceId: id })
    // Another Endpoint ID is another Agent.
    const anew = bindChange(id, identity, decided, 'proto::anew' as EndpointId, 'operator', now)
    expect(anew.set?.binding).toEqual({ endpointId: 'proto::anew', proof: 'operator', at: now })
  })

  it("leaves an operator's word as it is, with a certificate or without, whatever the Agent shows", () => {
    const said = device({ binding: { endpointId: eid, proof: 'operator', at: 1 } })
    for (const shown of [identity, other]) {
      const asked = claim({ shown, stated: shown })
      expect(decideArrival(asked, said, undefined, 'bound', now)).toEqual({ kind: 'known', device: said })
      const proven = decideArrival({ ...asked, certificate: true }, said, undefined, 'bound', now)
      expect(proven).toMatchObject({
        kind: 'bind',
        change: { set: { binding: { endpointId: eid, proof: 'operator', certificate: true } }, events: [] },
      })
    }
  })

  it('asks an unknown Agent for its identity first, also one that has claimed it', () => {
    for (const asked of [{}, { stated: identity }])
      expect(
        decideArrival({ endpointId: eid, certificate: false, ...asked }, undefined, undefined, 'open', now),
      ).toEqual({
        kind: 'read',
      })
    expect(decideArrival(claim({ shown: nothing }), undefined, undefined, 'open', now)).toEqual({ kind: 'read' })
    expect(decideArrival(claim({ shown: nothing, stated: identity }), undefined, undefined, 'open', now).kind).toBe(
      'bind',
    )
  })

  it('joins the device seen over CWMP with the Agent: one record, guarded by its revision', () => {
    const decision = decideArrival(claim(), undefined, device({ revision: 7 }), 'open', now)
    expect(decision).toMatchObject({
      kind: 'bind',
      deviceId: id,
      change: { set: { binding: { endpointId: eid, proof: 'triple', at: now } }, guard: { revision: 7 } },
    })
  })

  it('creates a record owned by usp for a device never seen', () => {
    const decision = decideArrival(claim({ certificate: true }), undefined, undefined, 'bound', now)
    expect(decision).toMatchObject({
      kind: 'bind',
      change: { create: { id, owner: 'usp', binding: { proof: 'certificate' } } },
    })
  })

  it('does not take an unproven claim when admission is `bound`, of a device that is known or not', () => {
    for (const byIdentity of [device(), undefined])
      for (const asked of [claim(), claim({ stated: identity })])
        expect(decideArrival(asked, undefined, byIdentity, 'bound', now)).toEqual(refusedFor('notBound'))
  })

  it.each([
    ['the device is bound to another Endpoint ID', 'proto::other', identity, bound, 'deviceBound'],
    ['the Endpoint ID carries another serial', 'ops::00256D-Box-S9', identity, device(), 'identityMismatch'],
    ['the Endpoint ID carries another OUI', 'os::00256E-S1', identity, undefined, 'identityMismatch'],
    ['the Agent claims one device and shows another', 'proto::other', other, undefined, 'identityMismatch'],
  ] as const)(
    'refuses an unproven claim, and touches nothing that it names, when %s',
    (_name, endpointId, shown, byIdentity, code) => {
      const asked = claim({ endpointId: endpointId as EndpointId, stated: identity, shown })
      expect(decideArrival(asked, undefined, byIdentity, 'open', now)).toEqual(refusedFor(code))
    },
  )

  it('gives a claim alone no device that is known over CWMP, however open the admission is', () => {
    const known = { ...device({}), cwmp: { lastInformAt: 1, events: [], version: '1.4' } }
    expect(decideArrival(claim(), undefined, known, 'open', now)).toEqual(refusedFor('notBound'))
    expect(decideArrival(claim(), undefined, device({}), 'open', now).kind).toBe('bind')
    expect(decideArrival(claim({ certificate: true }), undefined, known, 'open', now).kind).toBe('bind')
  })

  it('opens a Conflict for a proven Agent whose device is bound to another Endpoint ID, and binds nothing', () => {
    for (const proof of [{ certificate: true }, { secretOf: id }])
      expect(
        decideArrival(claim({ endpointId: 'proto::other' as EndpointId, ...proof }), undefined, bound, 'bound', now),
      ).toMatchObject({ kind: 'conflict', conflict: { kind: 'deviceBoundToOther', deviceId: id } })
  })
})

describe('a proof of identity', () => {
  const proofs: BindingProof[] = ['operator', 'certificate', 'bound', 'triple']
  const of = (proof: BindingProof, endpointId = eid, at = 1) => ({ endpointId, proof, at })

  it('is replaced by a stronger one alone', () => {
    for (const [i, present] of proofs.entries())
      for (const [k, offered] of proofs.entries()) {
        const change = bindChange(id, identity, device({ binding: of(present) }), eid, offered, now)
        const written = change.set?.binding?.proof ?? present
        expect([present, offered, written]).toEqual([present, offered, k < i ? offered : present])
        expect(change.events ?? []).toHaveLength(k < i ? 1 : 0)
        expect(provesMore(offered, present)).toBe(k < i)
        expect(strongerOf(of(present), of(offered, eid, 2)).proof).toBe(k < i ? offered : present)
      }
    expect(provesMore('triple', undefined)).toBe(true)
  })

  it('for another Endpoint ID replaces one that is as strong, and none that is stronger', () => {
    const other = of('operator', 'proto::other' as EndpointId)
    expect(strongerOf(of('operator'), other)).toBe(other)
    expect(strongerOf(of('operator'), { ...other, proof: 'certificate' })).toMatchObject({ endpointId: eid })
  })
})
