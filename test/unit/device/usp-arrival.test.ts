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
} from '../../../src/device/index.ts'

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
  identity,
  certificate: false,
  ...changes,
})

describe('decideArrival', () => {
  it('knows an Agent whose Endpoint ID is bound, also before it told its identity', () => {
    expect(decideArrival({ endpointId: eid, certificate: false }, bound, undefined, 'bound', now)).toEqual({
      kind: 'known',
      device: bound,
    })
    expect(decideArrival(claim(), bound, bound, 'bound', now)).toEqual({ kind: 'known', device: bound })
  })

  it('asks a certificate of an Agent that was bound by one', () => {
    const proven = device({ binding: { endpointId: eid, proof: 'certificate', at: 1 } })
    expect(decideArrival(claim(), proven, proven, 'open', now).kind).toBe('refused')
    expect(decideArrival({ endpointId: eid, certificate: false }, proven, undefined, 'open', now).kind).toBe('refused')
    expect(decideArrival(claim({ certificate: true }), proven, proven, 'bound', now).kind).toBe('known')
    // Nor does one without it put the device in conflict.
    const other = claim({ identity: { ...identity, serial: 'S2' } })
    expect(decideArrival(other, proven, undefined, 'open', now).kind).toBe('refused')
  })

  it('takes an Agent that tells no ProductClass for the box its Endpoint ID is bound to, and for no other', () => {
    const untold = { ...identity, productClass: '' }
    expect(decideArrival(claim({ identity: untold }), bound, undefined, 'bound', now).kind).toBe('known')
    const other = { ...untold, serial: 'S2' }
    expect(decideArrival(claim({ identity: other }), bound, undefined, 'bound', now).kind).toBe('conflict')
  })

  it.each(['bound', 'triple'] as const)('takes a certificate as a better proof than %s', (proof) => {
    const weaker = device({ binding: { endpointId: eid, proof, at: 1 }, revision: 3 })
    expect(decideArrival(claim({ certificate: true }), weaker, weaker, 'bound', now)).toMatchObject({
      kind: 'bind',
      deviceId: id,
      change: { set: { binding: { endpointId: eid, proof: 'certificate', at: now } }, guard: { revision: 3 } },
    })
  })

  it('lets nobody in without a certificate when admission is `certificate`, and opens no Conflict for them', () => {
    const refused = (asked: AgentClaim, byEndpoint?: Device, byIdentity?: Device) =>
      expect(decideArrival(asked, byEndpoint, byIdentity, 'certificate', now).kind).toBe('refused')
    refused(claim(), bound, bound)
    refused(claim(), device({ binding: { endpointId: eid, proof: 'operator', at: 1 } }))
    refused(claim({ endpointId: 'proto::other' as EndpointId }), undefined, bound)
    refused({ endpointId: eid, certificate: false })
    expect(decideArrival(claim({ certificate: true }), undefined, device(), 'certificate', now).kind).toBe('bind')
  })

  it("leaves an operator's word as it is, with a certificate or without", () => {
    const said = device({ binding: { endpointId: eid, proof: 'operator', at: 1 } })
    for (const certificate of [true, false])
      expect(decideArrival(claim({ certificate }), said, said, 'bound', now)).toEqual({ kind: 'known', device: said })
  })

  it('asks an unknown Agent for its identity first', () => {
    expect(decideArrival({ endpointId: eid, certificate: false }, undefined, undefined, 'open', now)).toEqual({
      kind: 'needIdentity',
    })
  })

  it('joins the box seen over CWMP with the Agent: one record, guarded by its revision', () => {
    const known = device({ revision: 7 })
    const decision = decideArrival(claim(), undefined, known, 'open', now)
    expect(decision).toMatchObject({
      kind: 'bind',
      deviceId: id,
      change: { set: { binding: { endpointId: eid, proof: 'triple', at: now } }, guard: { revision: 7 } },
    })
  })

  it('creates a record owned by usp for a box never seen', () => {
    const decision = decideArrival(claim({ certificate: true }), undefined, undefined, 'bound', now)
    expect(decision).toMatchObject({
      kind: 'bind',
      change: { create: { id, owner: 'usp', binding: { proof: 'certificate' } } },
    })
  })

  it("does not take an Agent's own word when admission is `bound`", () => {
    expect(decideArrival(claim(), undefined, device(), 'bound', now).kind).toBe('refused')
  })

  it.each([
    [
      'a bound Endpoint ID claims another identity',
      claim({ identity: { ...identity, serial: 'S2' } }),
      bound,
      undefined,
      'endpointAlreadyBound',
    ],
    [
      'the device is bound to another Endpoint ID',
      claim({ endpointId: 'os::00256D-S1x' as EndpointId, identity: { ...identity, serial: 'S1' } }),
      undefined,
      bound,
      'identityMismatch',
    ],
    [
      'the device is bound and the newcomer shows no identity in its id',
      claim({ endpointId: 'proto::other' as EndpointId }),
      undefined,
      bound,
      'deviceBoundToOther',
    ],
    [
      'the Endpoint ID carries another serial',
      claim({ endpointId: 'ops::00256D-Box-S9' as EndpointId }),
      undefined,
      device(),
      'identityMismatch',
    ],
    [
      'the Endpoint ID carries another OUI',
      claim({ endpointId: 'os::00256E-S1' as EndpointId }),
      undefined,
      undefined,
      'identityMismatch',
    ],
  ] as const)('opens a Conflict and binds nothing when %s', (_name, asked, byEndpoint, byIdentity, kind) => {
    expect(decideArrival(asked, byEndpoint, byIdentity, 'open', now)).toMatchObject({
      kind: 'conflict',
      conflict: { kind },
    })
  })
})

describe('a proof of identity', () => {
  const proofs: BindingProof[] = ['operator', 'certificate', 'bound', 'triple']
  const of = (proof: BindingProof, endpointId = eid, at = 1) => ({ endpointId, proof, at })

  it('is replaced by a stronger one alone', () => {
    for (const [i, present] of proofs.entries())
      for (const [k, offered] of proofs.entries()) {
        const change = bindChange(id, identity, device({ binding: of(present) }), eid, offered, now)
        expect([present, offered, change.set?.binding?.proof]).toEqual([present, offered, k < i ? offered : undefined])
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
