import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, expect, it } from 'vitest'
import { systemClock, systemRandom } from '../../src/base/index.ts'
import { fleetOf, statusOf } from '../../src/cli/simulate.ts'
import { readFlags, SIMULATE_OPTIONS } from '../../src/config/index.ts'
import { readRouterTable } from '../../src/domain/index.ts'
import {
  describeFaults,
  FAULTS,
  Fleet,
  quirksOf,
  RouterFleet,
  readFaults,
  readMix,
  readRouterProfiles,
} from '../../src/simulator/index.ts'
import { until } from '../support/until.ts'

describe('the flags of isthmus simulate', () => {
  const needed = { acsUrl: 'http://127.0.0.1:7547/', enrolmentSecret: 'x' }

  it('have values by the table, with defaults', () => {
    expect(readFlags(SIMULATE_OPTIONS, { ...needed, devices: '7', uspTls: true })).toMatchObject({
      devices: 7,
      uspTls: true,
      uspPort: 8183,
      timeScale: 10,
    })
    expect(readFlags(SIMULATE_OPTIONS, needed)).not.toHaveProperty('uspTls')
  })

  it('are refused all together, each with what it takes', () => {
    const wrong = () => readFlags(SIMULATE_OPTIONS, { acsUrl: 'ftp://x', devices: '0', uspPort: '70000' })
    expect(wrong).toThrow(/--acs-url takes an http or https URL/)
    expect(wrong).toThrow(/--devices takes a whole number from 1 to 5000, got "0"/)
    expect(wrong).toThrow(/--usp-port takes a whole number from 1 to 65535/)
  })

  it('need a server for devices, and none for routers alone', () => {
    const fleet = (flags: Record<string, string>) => fleetOf(readFlags(SIMULATE_OPTIONS, flags))
    expect(() => fleet({})).toThrow(/--acs-url is missing/)
    expect(() => fleet({ acsUrl: needed.acsUrl })).toThrow(/--enrolment-secret is missing/)
    expect(() => fleet({ acsUrl: needed.acsUrl, routeros: '2' })).toThrow(/--enrolment-secret is missing/)
    expect(fleet({ routeros: '2' }).mix).toEqual({})
    expect(() => readRouterProfiles('v7.18,v5')).toThrow(/"v5" is none of v6.49, /)
  })

  it('--mix names kinds and families with numbers', () => {
    expect(readMix('dualStack=3, uspOnly=2')).toEqual({ dualStack: 3, uspOnly: 2 })
    expect(readMix('huaweiOnt=4,zteOnt=2,dualStack=0')).toEqual({ huaweiOnt: 4, zteOnt: 2, dualStack: 0 })
  })

  it.each(['', 'toaster=1', 'dualStack', 'dualStack=x', 'dualStack=0', 'dualStack=9999'])(
    '--mix refuses %j',
    (text) => {
      expect(() => readMix(text)).toThrow(/--mix/)
    },
  )

  it('--faults are dealt in order, several to one device with +', () => {
    expect(readFaults('slow,fault9002+noCookies')).toEqual([['slow'], ['fault9002', 'noCookies']])
    expect(() => readFaults('slow,bogus')).toThrow(/"bogus" is none of .*rejectsWrite/)
  })
})

it('emulated routers are written as the table that a bridge reads', async () => {
  const options = {
    count: 3,
    profiles: readRouterProfiles('v7.18,v6.49'),
    firstPort: 0,
    host: '127.0.0.1',
    timeScale: 1,
  }
  const fleet = new RouterFleet({ ...options, clock: systemClock, random: systemRandom })
  try {
    await fleet.start()
    const table = readRouterTable(fleet.table())
    const [first] = fleet.summary()
    expect(table).toMatchObject({
      routers: [
        {
          address: '127.0.0.1',
          port: first?.tlsPort,
          transport: 'api-ssl',
          policy: 'L2',
          tags: ['v7.18', first?.serial],
        },
        { tags: ['v6.49', expect.any(String)] },
        { tags: ['v7.18', expect.any(String)] },
      ],
    })
    expect(new Set(fleet.summary().map(({ serial }) => serial)).size).toBe(3)
    // The same router contacts an ACS as a simulated CPE.
    const cpes = new Fleet(
      fleetOf(
        readFlags(SIMULATE_OPTIONS, { acsUrl: 'http://127.0.0.1:9/', enrolmentSecret: 's', mix: 'mikrotikV7=2' }),
      ),
    )
    expect(fleet.summary().flatMap(({ profile, serial }) => (profile === 'v7.18' ? [serial] : []))).toEqual(
      cpes.devices.map(({ identity }) => identity.serial),
    )
  } finally {
    fleet.stop()
  }
})

describe('scripted faults', () => {
  it('are each described, and each changes a device', () => {
    for (const fault of FAULTS) {
      expect(describeFaults()).toContain(fault)
      const { cpe, agent } = quirksOf([fault], 'S 1')
      // The device itself has these.
      if (fault !== 'powerLoss' && fault !== 'deviceModeHome') expect([...cpe, ...Object.keys(agent)]).not.toEqual([])
    }
  })

  it('add up', () => {
    const { cpe, agent } = quirksOf(['slow', 'fault9002', 'noTimer'], 'S1')
    expect(cpe).toHaveLength(2)
    expect(agent).toEqual({ answerDelayMs: 60, noTimer: true })
  })
})

it('the status of a fleet whose logins the server refuses has the reason', async () => {
  const server = createServer((_, response) => response.writeHead(401).end()).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const acsUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
  const fleet = new Fleet(
    fleetOf(readFlags(SIMULATE_OPTIONS, { acsUrl, enrolmentSecret: 'wrong', devices: '1', mix: 'dualStack=1' })),
  )
  try {
    expect(statusOf(fleet)).toContain('(0 failed)')
    await fleet.start()
    await until(() => fleet.devices.some(({ cpe }) => (cpe?.counters.failedSessions ?? 0) > 0))
    expect(statusOf(fleet)).toMatch(/\([1-9]\d* failed, such as: .*401/)
  } finally {
    fleet.stop(false)
    server.close()
  }
})
