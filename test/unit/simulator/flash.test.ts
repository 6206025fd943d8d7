import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { silentLog, systemRandom } from '../../../src/base/index.ts'
import { defaultMix, Fleet, type FleetOptions } from '../../../src/simulator/index.ts'
import { createManualClock } from '../../support/manual-clock.ts'
import { ScriptedAcs } from '../../support/scripted-acs.ts'

let dir: string
const fleets: Fleet[] = []
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'isthmus-flash-'))
})
afterEach(() => {
  for (const fleet of fleets.splice(0)) fleet.stop(false)
  rmSync(dir, { recursive: true, force: true })
})

/** The fleet as a process finds it when it starts. */
function fleetOf(options: Partial<FleetOptions> = {}): Fleet {
  const fleet = new Fleet({
    mix: { legacyTr098: 1, tr181NoAgent: 1, dualStack: 1, uspOnly: 0 },
    faultEvery: 0,
    seed: 3,
    servers: {
      acsUrl: 'http://127.0.0.1:9/',
      enrolmentSecret: 's',
      usp: { endpointId: 'proto::c', host: '127.0.0.1', port: 9, path: '/usp', tls: false },
    },
    stateDir: dir,
    timeScale: 1,
    informIntervalS: 300,
    staggerMs: 0,
    clock: createManualClock(),
    random: systemRandom,
    log: silentLog,
    ...options,
  })
  fleets.push(fleet)
  return fleet
}

describe('the flash memory of a fleet', () => {
  it('keeps every change at once: nothing is lost when the process is killed', () => {
    const { tree } = fleetOf().devices[2]!
    const row = tree.addRow('Device.LocalAgent.Controller.', 'acs')
    tree.put(`${row}EndpointID`, 'proto::x')
    const gone = tree.addRow('Device.NAT.PortMapping.', 'acs')
    tree.deleteRow(gone, 'acs')
    // No stop: as after kill -9.
    const again = fleetOf().devices[2]!.tree
    expect(again.snapshot()).toEqual(tree.snapshot())
    expect(again.addRow('Device.NAT.PortMapping.', 'acs')).toBe('Device.NAT.PortMapping.2.')
  })

  it('keeps what is due: a killed device tells its events, transfers and attributes to the next session', async () => {
    const acs = await ScriptedAcs.start()
    const options = {
      servers: {
        acsUrl: acs.url,
        enrolmentSecret: 's',
        usp: { endpointId: 'proto::c', host: '127.0.0.1', port: 9, path: '/usp', tls: false },
      },
    }
    acs.over = () => ({ status: 500 })
    const first = fleetOf(options)
    await first.start()
    await acs.post('Inform', 2)
    const killed = first.devices.map((device) => device.cpe?.saveState())
    const second = fleetOf(options)
    expect(second.devices.map((device) => device.cpe?.saveState())).toEqual(killed)
    expect(killed[0]?.events.map(({ code }) => code)).toEqual(['0 BOOTSTRAP', '1 BOOT'])
    await acs.stop()
  })

  it('does not mind a last line that was cut off', () => {
    const { tree } = fleetOf().devices[0]!
    tree.put('InternetGatewayDevice.DeviceInfo.ProvisioningCode', 'kept')
    appendFileSync(join(dir, 'fleet.log'), '{"device":"x","set":"InternetGatewayDevice.Dev')
    expect(fleetOf().devices[0]!.tree.raw('InternetGatewayDevice.DeviceInfo.ProvisioningCode')).toBe('kept')
  })

  it('reads the log of a fleet of version 0.1.0', () => {
    fleetOf().devices[0]?.tree.put('InternetGatewayDevice.DeviceInfo.ProvisioningCode', 'kept')
    const file = join(dir, 'fleet.log')
    writeFileSync(file, readFileSync(file, 'utf8').replaceAll('{"device":', '{"device":'))
    expect(fleetOf().devices[0]!.tree.raw('InternetGatewayDevice.DeviceInfo.ProvisioningCode')).toBe('kept')
  })

  it('applies a log twice without harm, as after a cut between snapshot and log', () => {
    const { tree } = fleetOf().devices[2]!
    for (let i = 0; i < 3; i++) tree.addRow('Device.NAT.PortMapping.', 'acs')
    tree.deleteRow('Device.NAT.PortMapping.2.', 'acs')
    const log = readFileSync(join(dir, 'fleet.log'))
    const whole = fleetOf()
    expect(readFileSync(join(dir, 'fleet.log'), 'utf8')).toBe('')
    writeFileSync(join(dir, 'fleet.log'), log)
    expect(fleetOf().devices[2]!.tree.snapshot()).toEqual(whole.devices[2]!.tree.snapshot())
  })

  it('says what to do when it cannot be read', () => {
    writeFileSync(join(dir, 'fleet.json'), '{')
    expect(() => fleetOf()).toThrow(/remove it to begin anew/)
  })

  it('does not keep a device from a server that has moved', () => {
    const first = fleetOf()
    first.stop(true)
    const url = 'http://127.0.0.1:8/'
    const moved = fleetOf({
      servers: {
        acsUrl: url,
        enrolmentSecret: 's',
        usp: { endpointId: 'proto::c', host: '127.0.0.1', port: 9, path: '/usp', tls: false },
      },
    })
    expect(moved.devices[1]!.tree.raw('Device.ManagementServer.URL')).toBe(url)
  })
})

describe('a fleet', () => {
  it('is the same for the same seed, and another for another', () => {
    const ids = (seed: number) =>
      fleetOf({ seed, mix: defaultMix(20) })
        .summary()
        .map(({ deviceId }) => deviceId)
    expect(ids(1)).toEqual(ids(1))
    expect(ids(1).filter((id) => ids(2).includes(id))).toEqual([])
    expect(new Set(ids(1)).size).toBe(20)
  })

  it.each([4, 5, 7, 200, 1000])('of %i devices has so many', (devices) => {
    expect(Object.values(defaultMix(devices)).reduce((sum, n) => sum + n)).toBe(devices)
    expect(defaultMix(devices).dualStack).toBeGreaterThan(0)
  })
})
