import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, it } from 'vitest'
import { startRouter } from '../../src/simulator/index.ts'
import { BridgeProcess } from '../support/bridge-process.ts'
import { Mosquitto } from '../support/mosquitto.ts'
import { MqttUser } from '../support/mqtt-user.ts'
import { until } from '../support/until.ts'

const stops: (() => Promise<unknown> | unknown)[] = []
afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop()
})

const SECRET = 'S3cr3tS3cr3t'
const BRIDGE = 'network/mikrotik/_bridge/state'

it('a bridge of a file is on MQTT alone, its will comes after kill -9, and it goes on with the next start', async () => {
  const broker = await Mosquitto.start()
  stops.push(() => broker.stop())
  const users = [{ name: 'isthmus', password: SECRET, group: ['api', 'read', 'write', 'test', 'reboot'] }]
  const router = await startRouter({ index: 790, profile: 'v7.18', users })
  stops.push(() => router.close())
  const dir = mkdtempSync(join(tmpdir(), 'isthmus-mqtt-'))
  stops.push(() => rmSync(dir, { recursive: true, force: true }))
  const file = join(dir, 'routers.csv')
  const columns = 'address,port,transport,username,password,policy,mqtt'
  writeFileSync(file, `${columns}\n127.0.0.1,${router.port},api,isthmus,${SECRET},L1,true\n`)
  const id = `127-0-0-1-${router.port}`
  const user = await MqttUser.at(broker.port)
  stops.push(() => user.end())
  const url = `mqtt://127.0.0.1:${broker.port}`
  const bridge = new BridgeProcess(['--routers', file, '--mqtt-url', url, '--mqtt-privacy', '--log-level', 'debug'])
  stops.push(() => bridge.remove())
  const online = `network/mikrotik/${id}/state/online`
  await bridge.start()
  await user.last(online, (text) => text === 'online')
  const response = await fetch(`http://127.0.0.1:${bridge.healthPort}/healthz`)
  expect(await response.json()).toMatchObject({ mqtt: { connected: true, routers: 1 } })
  const wifi = { interface: 'wifi1', key: SECRET }
  expect(await user.command(id, 'wifi_set', wifi)).toMatchObject({ status: 'done' })
  const command = { id: '6f1b2c1e-8d0e-4f43-9a25-0d6f6a3a7c11', ts: new Date().toISOString(), args: { name: 'again' } }
  const send = () => user.send(`network/mikrotik/${id}/command/identity_set`, JSON.stringify(command))
  await send()
  expect(await user.ended(command.id, id, 'identity_set')).toMatchObject({ status: 'done' })
  const hash = /mac-[0-9a-f]{16}/.exec(
    (await user.command(id, 'get', { path: 'Device.Ethernet.' })).result?.values?.[MAC] ?? '',
  )
  await bridge.kill()
  await until(() => user.texts(BRIDGE).at(-1) === 'offline')
  await bridge.start()
  await until(() => user.texts(BRIDGE).at(-1) === 'online' && user.texts(online).at(-1) === 'online')
  // A command that an earlier run has done is not done again.
  await send()
  await until(() => user.texts(`network/mikrotik/${id}/response/identity_set`).length === 3)
  expect(JSON.parse(user.texts(`network/mikrotik/${id}/response/identity_set`).at(-1) ?? '')).toMatchObject({
    id: command.id,
    status: 'denied',
    code: 7002,
  })
  const again = (await user.command(id, 'get', { path: MAC })).result?.values?.[MAC]
  expect(again).toBe(hash?.[0])
  expect(await bridge.stop()).toBe(0)
  expect([user.texts(BRIDGE).at(-1), user.texts(online).at(-1)]).toEqual(['offline', 'offline'])
  expect(readFileSync(join(bridge.stateDir, 'bridge.log'), 'utf8')).not.toContain(SECRET)
})

const MAC = 'Device.Ethernet.Interface.1.MACAddress'
