import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { otherDevice, telemetryWorld } from '../../support/telemetry-world.ts'

const CPU = 'Device.DeviceInfo.ProcessStatus.CPUUsage'
const PORTS = 'Device.Ethernet.Interface.'
const traffic = (ts: string, name: string, path: string, bytes = 1000) => ({
  ts,
  unit: 'bit/s',
  values: [{ interface: name, rx_bps: 1, tx_bps: 1, rx_bytes: bytes, tx_bytes: 2 * bytes, path }],
  labels: {},
})

describe('a value of telemetry', () => {
  it('is in the record under its TR-181 path, with its source and its time', async () => {
    const { hear, value, ts, clock } = await telemetryWorld()
    expect(await hear('telemetry/cpu_load', { ts: ts(2000), unit: '%', value: 12.4, labels: {} })).toBe(
      'telemetry taken',
    )
    expect(await value(CPU)).toEqual(['12', 'mqtt', clock.now() - 2000])
  })

  it('changes nothing that is newer, whichever way that came', async () => {
    const { hear, value, ts, put, clock, values } = await telemetryWorld()
    await put(CPU, '50', 'usp', clock.now() - 1000)
    await hear('telemetry/cpu_load', { ts: ts(2000), unit: '%', value: 12 })
    await hear('telemetry/cpu_load', { ts: ts(1000), unit: '%', value: 13 })
    expect(await value(CPU)).toEqual(['50', 'usp', clock.now() - 1000])
    expect(values.older).toBe(2)
    await hear('telemetry/cpu_load', { ts: ts(500), unit: '%', value: 14 })
    await hear('telemetry/cpu_load', { ts: ts(700), unit: '%', value: 15 })
    expect(await value(CPU)).toEqual(['14', 'mqtt', clock.now() - 500])
  })

  it('changes nothing that the last Inform has confirmed', async () => {
    const now = 1_700_000_000_000
    const cwmp = { lastInformAt: now - 1000, events: [], version: '1.4' }
    const { hear, value, ts, put } = await telemetryWorld({ cwmp })
    await put(CPU, '50', 'cwmp', now - 90_000)
    await hear('telemetry/cpu_load', { ts: ts(2000), unit: '%', value: 12 })
    expect((await value(CPU))?.[0]).toBe('50')
    await hear('telemetry/cpu_load', { ts: ts(500), unit: '%', value: 12 })
    expect((await value(CPU))?.[0]).toBe('12')
  })

  it('is refused with another unit, without a time, with an old one and with one in the future', async () => {
    const { hear, value, ts, clock } = await telemetryWorld()
    expect(await hear('telemetry/cpu_load', { ts: ts(), unit: 'dBm', value: 12 })).toBe('telemetry malformed')
    expect(await hear('telemetry/cpu_load', { ts: 'now', unit: '%', value: 12 })).toBe('telemetry malformed')
    expect(await hear('telemetry/cpu_load', { ts: ts(601_000), unit: '%', value: 12 })).toBe('telemetry tooOld')
    expect(await hear('telemetry/cpu_load', { ts: ts(-31_000), unit: '%', value: 12 })).toBe('telemetry inFuture')
    expect(await value(CPU)).toBeUndefined()
    await hear('telemetry/cpu_load', { ts: ts(-20_000), unit: '%', value: 12 })
    expect(await value(CPU)).toEqual(['12', 'mqtt', clock.now()])
  })

  it('is refused when the broker has kept it, and when it is too large or too deep', async () => {
    const { hear, ts, value } = await telemetryWorld()
    const good = { ts: ts(), unit: '%', value: 12 }
    expect(await hear('telemetry/cpu_load', good, { isRetained: true })).toBe('telemetry retained')
    expect(await hear('telemetry/cpu_load', { ...good, labels: 'x'.repeat(262_144) })).toBe('telemetry tooLarge')
    const deep = `${'['.repeat(100_000)}${']'.repeat(100_000)}`
    expect(await hear('telemetry/cpu_load', `{"ts":"${ts()}","unit":"%","value":12,"labels":${deep}}`)).toBe(
      'telemetry malformed',
    )
    expect(await hear('telemetry/cpu_load', Buffer.from([0x7b, 0xff, 0x7d]))).toBe('telemetry malformed')
    expect(await value(CPU)).toBeUndefined()
  })

  it('of a flood is dropped, and another router is not concerned', async () => {
    const { hear, ts, row, outcomes, clock } = await telemetryWorld()
    row('b1', 'r2')
    for (let i = 0; i < 610; i++) await hear('telemetry/cpu_load', { ts: ts(), unit: '%', value: 1 })
    expect(outcomes.filter((one) => one === 'telemetry tooMany')).toHaveLength(10)
    const other = '/network/mikrotik/b1/r2/telemetry/cpu_load'
    expect(await hear(other, { ts: ts(), unit: '%', value: 1 })).toBe('telemetry taken')
    clock.advance(1000)
    expect(await hear('telemetry/cpu_load', { ts: ts(), unit: '%', value: 1 })).toBe('telemetry taken')
  })
})

describe('the row of a value', () => {
  it('is that of the bridge, whose Agent the record follows', async () => {
    const { hear, value, ts } = await telemetryWorld()
    await hear('telemetry/traffic', traffic(ts(), 'ether1', `${PORTS}7.`))
    expect((await value(`${PORTS}7.Stats.BytesReceived`))?.[0]).toBe('1000')
    expect((await value(`${PORTS}7.Stats.BytesSent`))?.[0]).toBe('2000')
    expect((await value(`${PORTS}7.Name`))?.[0]).toBe('ether1')
  })

  it('is looked for once for all values of an item', async () => {
    const { hear, stores, ts } = await telemetryWorld()
    const asked: string[][] = []
    const { getMany } = stores.parameters
    stores.parameters.getMany = (deviceId, paths) => {
      asked.push(paths)
      return getMany(deviceId, paths)
    }
    await hear('telemetry/traffic', traffic(ts(), 'ether1', `${PORTS}7.`))
    expect(asked.filter((paths) => paths.length === 1)).toEqual([[`${PORTS}7.Name`]])
  })

  it('is found by name in a record that follows the TR-069 client, and nothing is added there', async () => {
    const { hear, value, values, ts, put, clock } = await telemetryWorld({ owner: 'cwmp' })
    await put(`${PORTS}2.Name`, 'ether1', 'cwmp', 1)
    await put(`${PORTS}7.Name`, 'ether6', 'cwmp', 1)
    await hear('telemetry/traffic', traffic(ts(), 'ether1', `${PORTS}7.`))
    expect((await value(`${PORTS}2.Stats.BytesReceived`))?.[0]).toBe('1000')
    expect(await value(`${PORTS}7.Stats.BytesReceived`)).toBeUndefined()
    await hear('telemetry/traffic', traffic(ts(), 'ether9', `${PORTS}9.`))
    expect(await value(`${PORTS}9.Stats.BytesReceived`)).toBeUndefined()
    expect(values.noRow).toBe(2)
    // The rows were renumbered.
    await put(`${PORTS}2.Name`, 'ether6', 'cwmp', 2)
    await put(`${PORTS}7.Name`, 'ether1', 'cwmp', 2)
    clock.advance(1000)
    await hear('telemetry/traffic', traffic(ts(), 'ether1', `${PORTS}2.`, 3000))
    expect((await value(`${PORTS}7.Stats.BytesReceived`))?.[0]).toBe('3000')
    expect((await value(`${PORTS}2.Stats.BytesReceived`))?.[0]).toBe('1000')
  })

  it('of a client is not added to the record, which would keep it after it has left', async () => {
    const { hear, value, ts, put } = await telemetryWorld()
    const client = 'Device.WiFi.AccessPoint.1.AssociatedDevice.'
    await put(`${client}1.MACAddress`, '02:00:00:00:00:01', 'usp', 1)
    const values = ['1', '2'].map((n) => ({ mac: `02:00:00:00:00:0${n}`, value: -60, path: `${client}${n}.` }))
    await hear('telemetry/wifi_rssi', { ts: ts(), unit: 'dBm', values })
    expect((await value(`${client}1.SignalStrength`))?.[0]).toBe('-60')
    expect(await value(`${client}2.SignalStrength`)).toBeUndefined()
  })

  it('is never one outside the table of the metric', async () => {
    const { hear, stores, ts, deviceId } = await telemetryWorld()
    const anything = fc.dictionary(
      fc.constantFrom('interface', 'sensor', 'mac', 'path', 'value', 'rx_bytes', 'rssi', 'ssid'),
      fc.oneof(
        fc.string(),
        fc.integer(),
        fc.double(),
        fc.constantFrom('Device.Ethernet.Interface.1.', 'Device.Users.User.1.', 'Device.LocalAgent.', '__proto__'),
        fc.array(fc.anything({ maxDepth: 2 })),
      ),
    )
    const units: Record<string, string> = { traffic: 'bit/s', temperature: 'Cel', lte_signal: 'dBm', wifi_rssi: 'dBm' }
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...Object.keys(units)),
        fc.array(anything, { maxLength: 5 }),
        async (name, values) => {
          await hear(`telemetry/${name}`, { ts: ts(), unit: units[name], values })
        },
      ),
      { numRuns: 300 },
    )
    const { items } = await stores.parameters.list(deviceId, '', 10_000)
    const allowed =
      /^Device\.(Ethernet\.Interface|WiFi\.SSID|DeviceInfo\.TemperatureStatus\.TemperatureSensor|Cellular\.Interface)\.\d+\./
    expect(items.filter(({ path }) => !allowed.test(path))).toEqual([])
  })
})

describe('a publisher', () => {
  const cpu = (ts: string) => ({ ts, unit: '%', value: 12 })

  it('is refused for a router that its bridge does not have, or whose row has no mqtt', async () => {
    const { hear, ts, row, heed } = await telemetryWorld()
    expect(await hear('/network/mikrotik/b1/r9/telemetry/cpu_load', cpu(ts()))).toBe('telemetry unknownRouter')
    expect(await hear('/network/mikrotik/b9/r1/telemetry/cpu_load', cpu(ts()))).toBe('telemetry unknownRouter')
    row('b1', 'r1', { mqtt: false })
    heed('router.stateChanged', { bridgeId: 'b1', routerId: 'r1' })
    expect(await hear('telemetry/cpu_load', cpu(ts()))).toBe('telemetry unknownRouter')
  })

  it('is refused for a device that another bridge speaks for, whatever its row states', async () => {
    const { hear, ts, row, value } = await telemetryWorld()
    row('b2', 'r1')
    expect(await hear('/network/mikrotik/b2/r1/telemetry/cpu_load', cpu(ts()))).toBe('telemetry notBound')
    expect(await value(CPU)).toBeUndefined()
    expect(await hear('telemetry/cpu_load', cpu(ts()))).toBe('telemetry taken')
  })

  it('is refused when its certificate was revoked or has ended, and the device is bound by an Agent of its own', async () => {
    const { hear, ts, certificates, heed, clock } = await telemetryWorld()
    const [certificate] = certificates
    if (certificate !== undefined) certificate.revokedAt = 1
    expect(await hear('telemetry/cpu_load', cpu(ts()))).toBe('telemetry notBound')
    if (certificate !== undefined) delete certificate.revokedAt
    expect(await hear('telemetry/cpu_load', cpu(ts()))).toBe('telemetry notBound')
    heed('device.bound', { endpointId: 'os::48A98A-S1' }, otherDevice('S9'))
    expect(await hear('telemetry/cpu_load', cpu(ts()))).toBe('telemetry taken')
    clock.advance(2 * 86_400_000)
    expect(await hear('telemetry/cpu_load', cpu(ts()))).toBe('telemetry notBound')
  })

  it('needs no certificate where the serial number was read over CWMP and over the bridge, unless two bridges state it', async () => {
    const { hear, ts, certificates, heed, row, change } = await telemetryWorld()
    certificates.length = 0
    await change({ binding: { endpointId: 'os::48A98A-S1' as never, proof: 'bridge', at: 1 } })
    expect(await hear('telemetry/cpu_load', cpu(ts()))).toBe('telemetry taken')
    row('b2', 'r1')
    heed('device.unbound')
    expect(await hear('telemetry/cpu_load', cpu(ts()))).toBe('telemetry notBound')
  })

  it('is not looked for without end when it names ever new routers', async () => {
    const { hear, ts, outcomes } = await telemetryWorld()
    for (let i = 0; i < 4010; i++) await hear(`/network/mikrotik/b1/x${i}/telemetry/cpu_load`, cpu(ts()))
    expect(outcomes.filter((one) => one === 'telemetry unknownRouter')).toHaveLength(4000)
    expect(outcomes.at(-1)).toBe('telemetry tooMany')
    expect(await hear('/network/mikrotik/b2/r1/telemetry/cpu_load', cpu(ts()))).toBe('telemetry unknownRouter')
  })

  it('is refused while its state/info names another router than the bridge has reported', async () => {
    const { hear, ts, value } = await telemetryWorld()
    const info = { model: 'hAP', serial: 'S1', version: '7', oui: '48A98A', endpoint_id: 'os::48A98A-S1' }
    const kept = { isRetained: true }
    expect(await hear('state/info', { ...info, serial: 'S2' }, kept)).toBe('state otherIdentity')
    expect(await hear('telemetry/cpu_load', cpu(ts()))).toBe('telemetry otherIdentity')
    expect(await value(CPU)).toBeUndefined()
    expect(await hear('state/info', info, kept)).toBe('state taken')
    expect(await hear('telemetry/cpu_load', cpu(ts()))).toBe('telemetry taken')
  })

  it('stays refused for another identity while another bridge names ever new routers', async () => {
    const { hear, ts, clock } = await telemetryWorld()
    const info = { serial: 'S2', endpoint_id: 'os::48A98A-S2' }
    await hear('state/info', info, { isRetained: true })
    for (let i = 0; i < 20_001; i++) {
      clock.advance(1)
      await hear(`/network/mikrotik/b2/x${i}/state/info`, info)
    }
    expect(await hear('telemetry/cpu_load', cpu(ts()))).toBe('telemetry otherIdentity')
  })
})

describe('the feed', () => {
  it('has an event once, also when the broker sends it again before or after a restart', async () => {
    const { hear, ts, events, restart, clock } = await telemetryWorld()
    const event = { ts: ts(60_000), mac: '02:00:00:00:00:01', signal_dbm: '-60', password: 'x' }
    expect(await hear('event/client_joined', event)).toBe('event taken')
    expect(await hear('event/client_joined', event)).toBe('event repeated')
    restart()
    expect(await hear('event/client_joined', event)).toBe('event repeated')
    restart()
    clock.advance(600_000)
    expect(await hear('event/client_joined', event, { isRepeated: true })).toBe('event repeated')
    expect(events()).toEqual([
      {
        source: 'mqtt',
        event: 'client_joined',
        params: { mac: '02:00:00:00:00:01', signal_dbm: '-60' },
        bridgeId: 'b1',
        routerId: 'r1',
        message: expect.any(String),
      },
    ])
    expect(await hear('event/anything', { ts: ts() })).toBe('event notKept')
    expect(await hear('event/constructor', { ts: ts() })).toBe('event notKept')
  })

  it('has no text that is no Unicode, which no reader of the feed could take', async () => {
    const { hear, ts, events } = await telemetryWorld()
    await hear('event/netwatch', { ts: ts(), host: 'a\ud800', status: 'down', previous: '\udc00' })
    expect(events()).toMatchObject([{ event: 'netwatch', params: { status: 'down' } }])
    expect(JSON.stringify(events())).not.toContain('host')
  })

  it('has the end of a command, and neither its beginning nor a confirmation token', async () => {
    const { hear, ts, events } = await telemetryWorld()
    const id = '6f1b2c1e-8d0e-4f43-9a25-0d6f6a3a7c11'
    await hear('response/reboot', { id, ts: ts(), status: 'accepted' })
    expect(events()).toEqual([])
    const denied = {
      id,
      ts: ts(),
      status: 'denied',
      code: 7027,
      message: 'send it again',
      result: { confirm: 'TOKEN' },
    }
    await hear('response/factory_reset', denied)
    expect(events()).toMatchObject([{ command: 'factory_reset', id, status: 'denied', code: 7027 }])
    expect(JSON.stringify(events())).not.toContain('TOKEN')
  })

  it('has changes of reachability, not what the broker says again after a connection', async () => {
    const { hear, events } = await telemetryWorld()
    await hear('state/online', 'online', { isRetained: true })
    await hear('state/online', 'online', { isRetained: true })
    expect(events()).toEqual([])
    await hear('state/online', 'offline')
    await hear('state/online', 'offline', { isRetained: true })
    await hear('state/online', 'online')
    expect(events().map(({ event }) => event)).toEqual(['offline', 'online'])
    expect(await hear('state/online', 'maybe')).toBe('state malformed')
  })

  it('and the record get the values of a get; those of another router are refused', async () => {
    const { hear, ts, value, events } = await telemetryWorld()
    const id = '6f1b2c1e-8d0e-4f43-9a25-0d6f6a3a7c11'
    const got = (values: object) => ({ id, ts: ts(), status: 'done', result: { values } })
    const key = 'Device.WiFi.AccessPoint.1.Security.KeyPassphrase'
    await hear('response/get', got({ 'Device.Time.Enable': 'true', [key]: 'secret', 'Internet.X': 'y', 'Device.': '' }))
    expect((await value('Device.Time.Enable'))?.slice(0, 2)).toEqual(['true', 'mqtt'])
    expect((await value(key))?.[0]).toBe('')
    expect(events()).toMatchObject([{ command: 'get', status: 'done' }])
    const other = { 'Device.DeviceInfo.SerialNumber': 'S2', 'Device.Time.Enable': 'false' }
    expect(await hear('response/get', got(other))).toBe('response otherIdentity')
    expect((await value('Device.Time.Enable'))?.[0]).toBe('true')
  })

  it('get no value of a row by the numbering of the bridge where the record has the rows of the TR-069 client', async () => {
    const { hear, ts, value, values, put } = await telemetryWorld({ owner: 'cwmp' })
    await put(`${PORTS}2.Name`, 'ether1', 'cwmp', 1)
    const id = '6f1b2c1e-8d0e-4f43-9a25-0d6f6a3a7c11'
    const got = { [`${PORTS}2.Name`]: 'ether6', [`${PORTS}9.Name`]: 'ether9', 'Device.Time.Enable': 'true' }
    await hear('response/get', { id, ts: ts(), status: 'done', result: { values: got } })
    expect((await value(`${PORTS}2.Name`))?.[0]).toBe('ether1')
    expect(await value(`${PORTS}9.Name`)).toBeUndefined()
    expect((await value('Device.Time.Enable'))?.[0]).toBe('true')
    expect(values.noRow).toBe(2)
  })

  it('take a get whose names mean something to JavaScript as any other', async () => {
    const { hear, ts, value } = await telemetryWorld()
    const id = '6f1b2c1e-8d0e-4f43-9a25-0d6f6a3a7c11'
    const text =
      '{"Device.Time.__proto__":"x","Device.Time.constructor":"y","__proto__":"z","Device.Time.Enable":"true"}'
    const body = `{"id":"${id}","ts":"${ts()}","status":"done","result":{"values":${text}}}`
    expect(await hear('response/get', body)).toBe('response taken')
    expect((await value('Device.Time.Enable'))?.[0]).toBe('true')
  })
})
