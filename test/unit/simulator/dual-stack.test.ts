import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { SimulatedDevice } from '../../../src/simulator/index.ts'
import { eventsOf, ScriptedAcs, valuesOf } from '../../support/scripted-acs.ts'
import { ScriptedController } from '../../support/scripted-controller.ts'
import { makeDevice } from '../../support/simulated-device.ts'
import { untilPasses } from '../../support/until.ts'

const TABLE = 'Device.USPAgent.Controller.'
const ROW = `${TABLE}1.`
const SSID = 'Device.WiFi.SSID.1.SSID'
const add = (object: string) => `<c:AddObject><ObjectName>${object}</ObjectName><ParameterKey/></c:AddObject>`
const remove = (object: string) => `<c:DeleteObject><ObjectName>${object}</ObjectName><ParameterKey/></c:DeleteObject>`
const set = (values: Record<string, [string, string]>) =>
  `<c:SetParameterValues><ParameterList>${Object.entries(values)
    .map(
      ([name, [type, value]]) =>
        `<ParameterValueStruct><Name>${name}</Name><Value i:type="d:${type}">${value}</Value></ParameterValueStruct>`,
    )
    .join('')}</ParameterList><ParameterKey/></c:SetParameterValues>`

let acs: ScriptedAcs
let controller: ScriptedController
let device: SimulatedDevice
let clock: ReturnType<typeof makeDevice>['clock']
beforeEach(async () => {
  acs = await ScriptedAcs.start()
  controller = await ScriptedController.start()
  ;({ device, clock } = makeDevice('dualStack', { acsUrl: acs.url }))
  device.start()
  await sessions(1)
})
afterEach(async () => {
  device.stop(false)
  await acs.stop()
  await controller.stop()
})

const sessions = (n: number) => untilPasses(() => expect(device.cpe?.counters.sessions).toBeGreaterThanOrEqual(n))

/** The ACS asks this in a session of its own. */
async function ask(...queue: string[]): Promise<void> {
  acs.queue.push(...queue)
  const before = device.cpe?.counters.sessions ?? 0
  clock.advance(300_000)
  await sessions(before + 1)
  clock.advance(5)
}

/** Our Controller, written row by row over CWMP as an ACS does. */
async function provision(enable = '1'): Promise<void> {
  await ask(
    add(TABLE),
    add(`${ROW}MTP.`),
    set({
      [`${ROW}EndpointID`]: ['string', controller.endpointId],
      [`${ROW}AssignedRole`]: ['string', 'Device.USPAgent.ControllerTrust.Role.1'],
      [`${ROW}MTP.1.Protocol`]: ['string', 'WebSocket'],
      [`${ROW}MTP.1.WebSocket.Host`]: ['string', '127.0.0.1'],
      [`${ROW}MTP.1.WebSocket.Port`]: ['unsignedInt', String(controller.port)],
      [`${ROW}MTP.1.WebSocket.EnableEncryption`]: ['boolean', '0'],
      [`${ROW}MTP.1.WebSocket.Path`]: ['string', '/usp'],
      [`${ROW}MTP.1.Enable`]: ['boolean', '1'],
      [`${ROW}Enable`]: ['boolean', enable],
    }),
  )
}

describe('a dual-stack device obeys Device.USPAgent.', () => {
  it('dials the Controller of an enabled row, and shows it as Device.LocalAgent. over USP', async () => {
    await provision()
    await controller.connected(1)
    const reply = await controller.ask('get', {
      param_paths: ['Device.LocalAgent.Controller.1.EndpointID'],
      max_depth: 0,
    })
    expect(reply).toMatchObject({
      body: {
        req_path_results: [{ resolved_path_results: [{ result_params: { EndpointID: controller.endpointId } }] }],
      },
    })
  })

  it('dials nobody while the row or its MTP is not enabled, and leaves when it is disabled or deleted', async () => {
    await provision('0')
    expect(controller.connects).toHaveLength(0)
    await ask(set({ [`${ROW}Enable`]: ['boolean', 'true'] }))
    await controller.connected(1)
    await ask(set({ [`${ROW}MTP.1.Enable`]: ['boolean', '0'] }))
    await untilPasses(() => expect(controller.records.at(-1)).toBe('disconnect'))
    expect(device.agent?.connected).toBe(false)
    await ask(set({ [`${ROW}MTP.1.Enable`]: ['boolean', '1'] }))
    await controller.connected(2)
    await ask(remove(ROW))
    await untilPasses(() => expect(controller.records.at(-1)).toBe('disconnect'))
    expect(device.controllerRows()).toEqual([])
  })

  it('goes to another Controller when the row names one', async () => {
    await provision()
    await controller.connected(1)
    const other = await ScriptedController.start()
    await ask(set({ [`${ROW}MTP.1.WebSocket.Port`]: ['unsignedInt', String(other.port)] }))
    await other.connected(1)
    expect(controller.records.at(-1)).toBe('disconnect')
    await other.stop()
  })

  it('shows each protocol a reference under the names of its own model', async () => {
    await provision()
    const role = 'ControllerTrust.Role.1'
    expect(device.usp?.get('Device.LocalAgent.Controller.1.AssignedRole')).toBe(`Device.LocalAgent.${role}`)
    expect(device.cwmp.get(`${ROW}AssignedRole`)).toBe(`Device.USPAgent.${role}`)
  })

  it('sends an OnBoardRequest when SendOnBoardRequest is set, which reads false', async () => {
    await provision()
    const isOnBoard = ({ on_board_req }: { on_board_req?: object }) => on_board_req !== undefined
    await controller.notified(isOnBoard)
    await controller.heard()
    await ask(set({ [`${ROW}SendOnBoardRequest`]: ['boolean', '1'] }))
    await controller.notified(isOnBoard, 1)
    expect(acs.posts.at(-1)?.name).toBe('SetParameterValuesResponse')
  })

  it('shows neither protocol the names of the other', async () => {
    await ask(
      '<c:GetParameterNames><ParameterPath>Device.LocalAgent.</ParameterPath><NextLevel>0</NextLevel></c:GetParameterNames>',
    )
    expect(acs.posts.at(-1)?.body).toContain('<FaultCode>9005</FaultCode>')
    expect(device.usp?.get('Device.USPAgent.EndpointID')).toBeUndefined()
    expect(device.usp?.parametersBelow('Device.ManagementServer.')).toEqual([])
  })
})

describe('one tree under two protocols', () => {
  const notify = `<c:SetParameterAttributes><ParameterList><SetParameterAttributesStruct><Name>${SSID}</Name><NotificationChange>1</NotificationChange><Notification>2</Notification><AccessListChange>0</AccessListChange><AccessList/></SetParameterAttributesStruct></ParameterList></c:SetParameterAttributes>`

  it('tells the Controller what the ACS changed, and the ACS what the Controller changed', async () => {
    await provision()
    await controller.connected(1)
    const settings = { ID: 's', NotifType: 'ValueChange', ReferenceList: SSID, Enable: 'true' }
    await controller.ask('add', {
      allow_partial: false,
      create_objs: [
        {
          obj_path: 'Device.LocalAgent.Subscription.',
          param_settings: Object.entries(settings).map(([param, value]) => ({ param, value, required: true })),
        },
      ],
    })
    await ask(notify, set({ [SSID]: ['string', 'by-acs'] }))
    const { notify: told } = await controller.notified(({ value_change }) => value_change !== undefined)
    expect(told.value_change).toEqual({ param_path: SSID, param_value: 'by-acs' })
    const before = device.cpe?.counters.sessions ?? 0
    await controller.ask('set', {
      allow_partial: false,
      update_objs: [
        { obj_path: 'Device.WiFi.SSID.1.', param_settings: [{ param: 'SSID', value: 'by-usp', required: true }] },
      ],
    })
    await sessions(before + 1)
    const inform = acs.posts.filter(({ name }) => name === 'Inform').at(-1)!
    expect(eventsOf(inform)).toEqual(['4 VALUE CHANGE'])
    expect(valuesOf(inform)[SSID]).toBe('by-usp')
  })

  it('lets USP switch CWMP off and on', async () => {
    await provision()
    await controller.connected(1)
    const enable = (value: string) =>
      controller.ask('set', {
        allow_partial: false,
        update_objs: [
          {
            obj_path: 'Device.CWMPManagementServer.',
            param_settings: [{ param: 'EnableCWMP', value, required: true }],
          },
        ],
      })
    expect(await enable('false')).toMatchObject({ kind: 'response' })
    const before = device.cpe?.counters.sessions ?? 0
    clock.advance(3_600_000)
    expect(device.cpe?.counters.sessions).toBe(before)
    await enable('true')
    await sessions(before + 1)
  })

  it('adds a row once: numbers are the same over both, and never given again', async () => {
    await provision()
    await controller.connected(1)
    await ask(add('Device.NAT.PortMapping.'))
    await controller.ask('delete', { allow_partial: false, obj_paths: ['Device.NAT.PortMapping.1.'] })
    await ask(add('Device.NAT.PortMapping.'))
    expect(acs.posts.at(-1)?.body).toContain('<InstanceNumber>2</InstanceNumber>')
    expect(device.usp?.instances('Device.NAT.PortMapping.')).toEqual(['Device.NAT.PortMapping.2.'])
  })
})
