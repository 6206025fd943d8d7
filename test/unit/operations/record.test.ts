import { describe, expect, it } from 'vitest'
import type { Device, OperationRequest, OperationResult } from '../../../src/domain/index.ts'
import { changesOf, resultToKeep } from '../../../src/operations/record.ts'
import { createWorld, modelOf } from '../../support/operations-world.ts'

const NOW = 5
const base: Device = createWorld().device()

function changes(request: OperationRequest, result: Partial<OperationResult>, device: Partial<Device> = {}) {
  const full: OperationResult = { outcome: 'done', results: [], ...result }
  return changesOf({ deviceId: base.id, request }, full, { ...base, ...device }, 'usp', modelOf('tr181-usp'), NOW)
}

const get: OperationRequest = { verb: 'get', paths: ['Device.'] }

describe('changes of the record by results', () => {
  it('stores read values with the types of the model, and takes the facts', () => {
    const results = [
      { path: 'Device.DeviceInfo.SoftwareVersion', value: '2.0' },
      { path: 'Device.DeviceInfo.UpTime', value: '77', writable: false },
      { path: 'Device.X_A', value: 'v' },
      { path: 'Device.X_B', error: { code: '7026', text: 'no', retryable: false } },
    ]
    const [change, ...rest] = changes(get, { outcome: 'failed', results }, { softwareVersion: '1.0' })
    expect(rest).toEqual([])
    expect(change?.set).toMatchObject({ softwareVersion: '2.0', upTimeS: 77 })
    expect(change?.events).toMatchObject([{ type: 'device.firmwareChanged', data: { from: '1.0', to: '2.0' } }])
    expect(change?.parameters).toEqual([
      { path: 'Device.DeviceInfo.SoftwareVersion', value: '2.0', type: 'string', source: 'usp', collectedAt: NOW },
      {
        path: 'Device.DeviceInfo.UpTime',
        value: '77',
        type: 'unsignedInt',
        writable: false,
        source: 'usp',
        collectedAt: NOW,
      },
      { path: 'Device.X_A', value: 'v', type: 'unknown', source: 'usp', collectedAt: NOW },
    ])
  })

  it('takes the new Inform interval and connection request URL at once', () => {
    const cwmp = { lastInformAt: 1, events: [], version: '1.2', informIntervalS: 300 }
    const interval = 'Device.ManagementServer.PeriodicInformInterval'
    const [change] = changes({ verb: 'set', values: [{ path: interval, value: '86400' }] }, {}, { cwmp })
    expect(change?.set).toEqual({ 'cwmp.informIntervalS': 86_400 })
    expect(changes({ verb: 'set', values: [{ path: interval, value: '300' }] }, {}, { cwmp })[0]?.set).toBeUndefined()
  })

  it('has at most 1,000 values in a commit', () => {
    const results = Array.from({ length: 1201 }, (_, i) => ({ path: `Device.X_${String(i)}`, value: '1' }))
    expect(changes({ verb: 'discover' }, { results }).map(({ parameters }) => parameters?.length)).toEqual([1000, 201])
  })

  it('stores written values, those of the answer first, secrets empty, no refused ones', () => {
    const request: OperationRequest = {
      verb: 'set',
      values: [
        { path: 'Device.X_A', value: 'asked', type: 'string' },
        { path: 'Device.X_B', value: 'asked' },
        { path: 'Device.X_C', value: 'refused' },
        { path: 'Device.WiFi.AccessPoint.1.Security.KeyPassphrase', value: 'secret' },
        { path: 'Device.WiFi.SSID.*.SSID', value: 'everywhere' },
      ],
    }
    const error = { code: '7012', text: 'no', retryable: false }
    const results = [{ path: 'Device.X_A', value: 'read' }, { path: 'Device.X_B' }, { path: 'Device.X_C', error }]
    const [change] = changes(request, { results })
    expect(change?.parameters?.map(({ path, value }) => [path, value])).toEqual([
      ['Device.X_A', 'read'],
      ['Device.X_B', 'asked'],
      ['Device.WiFi.AccessPoint.1.Security.KeyPassphrase', ''],
    ])
    expect(changes(request, { outcome: 'failed', results: [] })).toEqual([])
  })

  it('keeps a new row and drops a deleted one', () => {
    const add: OperationRequest = { verb: 'add', object: 'Device.X_T.', values: { Name: 'n' } }
    const [added] = changes(add, { results: [{ path: 'Device.X_T.', created: 'Device.X_T.7.' }] })
    expect(added?.parameters?.map(({ path }) => path)).toEqual(['Device.X_T.7.Name'])
    const remove: OperationRequest = { verb: 'delete', paths: ['Device.X_T.7.', 'Device.X_T.8.'] }
    const error = { code: '7024', text: 'no', retryable: false }
    const results = [{ path: 'Device.X_T.7.' }, { path: 'Device.X_T.8.', error }]
    expect(changes(remove, { outcome: 'failed', results })).toEqual([
      { deviceId: base.id, dropSubtrees: ['Device.X_T.7.'] },
    ])
  })

  it('keeps the values of new rows that the answer does not name, each by the table of its row', () => {
    const asked: OperationRequest = {
      verb: 'add',
      object: 'Device.X_T.*.Sub.',
      values: { Name: 'each' },
      more: [
        { object: 'Device.X_U.', values: { Name: 'one' } },
        { object: 'Device.X_U.', values: { Name: 'two' } },
      ],
    }
    const created = (path: string, row: string) => ({ path, created: row })
    const [added] = changes(asked, {
      results: [
        created('Device.X_T.*.Sub.', 'Device.X_T.1.Sub.4.'),
        created('Device.X_T.*.Sub.', 'Device.X_T.2.Sub.4.'),
        created('Device.X_U.', 'Device.X_U.7.'),
        created('Device.X_U.', 'Device.X_U.8.'),
      ],
    })
    expect(added?.parameters?.map(({ path, value }) => [path, value])).toEqual([
      ['Device.X_T.1.Sub.4.Name', 'each'],
      ['Device.X_T.2.Sub.4.Name', 'each'],
      ['Device.X_U.7.Name', 'one'],
      ['Device.X_U.8.Name', 'two'],
    ])
  })

  it('drops a row that a whole read does not show, but only rows of its own protocol', async () => {
    const world = createWorld({ device: { owner: 'usp' } })
    world.peer.values.set('Device.X_T.1.Name', 'a').set('Device.X_T.2.Name', 'b').set('Device.X_T.2.Sub.1.X', 'c')
    world.room.contact(world.peer.contact('usp', { workKnown: false })).catch(() => undefined)
    await world.ended(await world.submit({ verb: 'discover', path: 'Device.X_T.' }))
    const parameter = { value: 'v', type: 'string', collectedAt: 1 } as const
    await world.stores.devices.commit({
      deviceId: base.id,
      parameters: [{ ...parameter, path: 'Device.X_T.9.Name', source: 'cwmp' }],
    })
    world.peer.values.delete('Device.X_T.2.Name')
    world.peer.values.delete('Device.X_T.2.Sub.1.X')
    await world.ended(await world.submit({ verb: 'discover', path: 'Device.X_T.' }))
    const { items } = await world.stores.parameters.list(base.id, 'Device.X_T.', 10)
    expect(items.map(({ path }) => path)).toEqual(['Device.X_T.1.Name', 'Device.X_T.9.Name'])
  })
})

describe('the result that an operation keeps', () => {
  const many = Array.from({ length: 1500 }, (_, i) => ({ path: `Device.X_${String(i)}`, value: '1' }))

  it('leaves the values of a discovery to the record', () => {
    expect(resultToKeep({ request: { verb: 'discover' } }, { outcome: 'done', results: many })).toEqual({
      outcome: 'done',
      results: [],
      output: { parameters: '1500' },
    })
  })

  it('is cut after a large read, with the number of omitted values', () => {
    const kept = resultToKeep({ request: get }, { outcome: 'done', results: many })
    expect(kept.results.length).toBe(1000)
    expect(kept.output).toEqual({ omitted: '500' })
  })
})
