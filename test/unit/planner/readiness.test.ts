import { describe, expect, it } from 'vitest'
import { type AgentEvidence, assessReadiness } from '../../../src/planner/index.ts'

const box = { oui: '0C96BF', manufacturer: 'Northbridge', root: 'Device.', dataModelVersion: '2.17' } as const
const agent: AgentEvidence = { exists: true, endpointId: 'os::0C96BF-1', supportedProtocols: 'MQTT,WebSocket' }

describe('readiness', () => {
  it.each([
    ['READY_STANDARD', box, agent],
    // The object counts, not the number: some firmware raises the one before the other.
    ['READY_STANDARD', { ...box, dataModelVersion: '2.12' }, agent],
    ['READY_STANDARD', box, { exists: true, endpointId: 'os::0C96BF-1' }],
    ['UNKNOWN', box, undefined],
    ['UNKNOWN', { oui: '0C96BF' }, undefined],
    ['NEEDS_DATA_MODEL', box, { exists: false }],
    ['NEEDS_DATA_MODEL', { ...box, dataModelVersion: '2.14' }, undefined],
    ['NEEDS_DATA_MODEL', { ...box, dataModelVersion: '2.9' }, undefined],
    ['NEEDS_DATA_MODEL', box, { exists: true, endpointId: '', supportedProtocols: 'WebSocket' }],
    ['NEEDS_DATA_MODEL', box, { exists: true, endpointId: 'os::0C96BF-1', supportedProtocols: 'MQTT, STOMP' }],
    ['NEEDS_DATA_MODEL', { ...box, root: 'InternetGatewayDevice.' }, agent],
    ['BRIDGE_ONLY', { ...box, manufacturer: 'MikroTik' }, agent],
    ['BRIDGE_ONLY', { oui: 'E48D8C', root: 'Device.' }, undefined],
  ] as const)('%s for %j with %j', (wanted, device, evidence) => {
    const assessment = assessReadiness(device, evidence)
    expect(assessment.class).toBe(wanted)
    expect(assessment.reasons.length).toBeGreaterThan(0)
  })

  it('says by what it decided', () => {
    expect(assessReadiness(box, agent).evidence).toMatchObject({
      root: 'Device.',
      dataModelVersion: '2.17',
      endpointId: 'os::0C96BF-1',
      supportedProtocols: 'MQTT,WebSocket',
    })
  })
})
