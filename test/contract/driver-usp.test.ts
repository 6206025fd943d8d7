import { vi } from 'vitest'
import { createIdSource } from '../../src/base/index.ts'
import { Controller, WebSocketMtp } from '../../src/usp/index.ts'
import { type ContractSubject, driverContract } from './driver-contract.ts'
import { BASE, CONTROLLER, createEngine, createSubject } from './subject.ts'

// A reset takes every subscription with it, and so Boot!; the uptime tells of it, in seconds of the real clock.
const TIME_SCALE = 1.5

/** The Controller, and an Agent that has joined it. */
async function setup(): Promise<ContractSubject> {
  const engine = await createEngine()
  const { store, operations } = engine
  const mtp = new WebSocketMtp({
    ...BASE,
    host: '127.0.0.1',
    port: 0,
    path: '/usp',
    endpointId: CONTROLLER,
    maxLinks: 10,
  })
  const controller = new Controller({
    ...BASE,
    mtps: [mtp],
    endpointId: CONTROLLER,
    admission: 'open',
    periodicNotifIntervalS: 300,
    instance: 'contract',
    devices: store.devices,
    conflicts: store.conflicts,
    pendingAgents: store.pendingAgents,
    linkSecrets: store.linkSecrets,
    supportedModels: store.supportedModels,
    audit: store.audit,
    upward: operations,
    nextId: createIdSource(BASE.clock, BASE.random),
  })
  await controller.start()
  operations.setDrivers([controller.driver])
  const usp = { endpointId: CONTROLLER, host: '127.0.0.1', port: mtp.port, path: '/usp', tls: false }
  const subject = createSubject(engine, 'uspOnly', { usp }, () => controller.stop(), TIME_SCALE)
  const joined = async () => (await store.devices.get(subject.deviceId))?.usp?.onboardedFor !== undefined
  await vi.waitUntil(joined, { timeout: 10_000, interval: 20 })
  return subject
}

driverContract('USP', setup)
