import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Notify } from '../../../src/usp/wire/index.ts'
import { type FileServer, startFileServer } from '../../support/file-server.ts'
import { settled } from '../../support/manual-clock.ts'
import { ScriptedController } from '../../support/scripted-controller.ts'
import { makeDevice } from '../../support/simulated-device.ts'
import { until, untilPasses } from '../../support/until.ts'

const LOCAL = 'Device.LocalAgent.'
const CONTROLLER = `${LOCAL}Controller.1.`
const SSID = 'Device.WiFi.SSID.1.'

let controller: ScriptedController
let made: ReturnType<typeof makeDevice>
let files: FileServer | undefined
beforeEach(async () => {
  controller = await ScriptedController.start()
})
afterEach(async () => {
  made.device.stop(false)
  await controller.stop()
  await files?.stop()
  files = undefined
})

const isOnBoard = (notify: Notify) => notify.on_board_req !== undefined
const isEvent = (name: string) => (notify: Notify) => notify.event?.event_name === name

/** A device that is delivered with our Controller, once it is there and has shown itself. */
async function device(kind: 'uspOnly' | 'dualStack' = 'uspOnly', acsUrl?: string): Promise<typeof made> {
  made = makeDevice(kind, { usp: { port: controller.port }, ...(acsUrl === undefined ? {} : { acsUrl }) })
  made.device.start()
  await controller.notified(isOnBoard)
  return made
}

/** Adds a subscription; answers its row. */
async function subscribe(
  id: string,
  type: string,
  references: string,
  more: Record<string, string> = {},
): Promise<string> {
  const values = { ID: id, NotifType: type, ReferenceList: references, Enable: 'true', ...more }
  const reply = await controller.ask('add', {
    allow_partial: false,
    create_objs: [
      {
        obj_path: `${LOCAL}Subscription.`,
        param_settings: Object.entries(values).map(([param, value]) => ({ param, value, required: true })),
      },
    ],
  })
  const result = reply.kind === 'response' && reply.name === 'add_resp' ? reply.body.created_obj_results[0] : undefined
  const row = result?.oper_status.oper_success?.instantiated_path
  if (row === undefined) throw new Error(JSON.stringify(reply))
  return row
}

function set(obj_path: string, values: Record<string, string>) {
  const param_settings = Object.entries(values).map(([param, value]) => ({ param, value, required: true }))
  return controller.ask('set', { allow_partial: false, update_objs: [{ obj_path, param_settings }] })
}

const operate = (command: string, input_args: Record<string, string> = {}, command_key = 'key') =>
  controller.ask('operate', { command, command_key, send_resp: true, input_args })

/** The command takes effect, and the Agent comes for the n-th time. */
async function reboot(it: typeof made, n = 2): Promise<void> {
  it.clock.advance(20)
  it.clock.advance(2000)
  await controller.connected(n)
  await untilPasses(() => expect(it.device.agent?.connected).toBe(true))
}

describe('an Agent that comes', () => {
  it('sends its connect record first, then OnBoardRequest, and says who it is in the query', async () => {
    await device()
    expect(controller.records.slice(0, 2)).toEqual(['websocketConnect', 'noSession'])
    expect(controller.connects[0]?.url).toBe('/usp?eid=proto%3A%3Adevice')
    expect(controller.notifies[0]?.notify).toEqual({
      subscription_id: '',
      send_resp: true,
      on_board_req: {
        oui: '00256D',
        product_class: 'Home Box',
        serial_number: 'S-1',
        agent_supported_protocol_versions: '1.0,1.1,1.2,1.3,1.4',
      },
    })
  })

  it('repeats the OnBoardRequest under its msg_id until it is answered, also over a new link, and sends one at a time', async () => {
    controller.acknowledge = false
    const it = await device()
    it.clock.advance(7500)
    await controller.notified(isOnBoard, 1)
    controller.cut()
    await untilPasses(() => expect(it.device.agent?.connected).toBe(false))
    it.clock.advance(7500)
    await controller.notified(isOnBoard, 2)
    const [first] = controller.notifies
    expect(new Set(controller.notifies.map(({ msgId }) => msgId)).size).toBe(1)
    controller.answerNotify('another', '')
    await controller.heard()
    it.clock.advance(7500)
    await controller.notified(isOnBoard, 3)
    // Its msg_id decides, whatever the subscription_id is (R-NOT.9).
    controller.answerNotify(first!.msgId, 'other')
    await controller.heard()
    it.clock.advance(3_600_000)
    await controller.heard()
    expect(controller.notifies).toHaveLength(4)
  })

  it('asks again after OnBoardingRestartTime until onboarding is called complete', async () => {
    const it = await device()
    await set(CONTROLLER, { OnBoardingRestartTime: '60' })
    await operate(`${CONTROLLER}SendOnBoardRequest()`)
    it.clock.advance(20)
    await controller.notified(isOnBoard, 1)
    await controller.heard()
    it.clock.advance(60_000)
    await controller.notified(isOnBoard, 2)
    await set(CONTROLLER, { OnBoardingComplete: 'true' })
    it.clock.advance(60_000)
    await controller.heard()
    expect(controller.notifies).toHaveLength(3)
  })

  it('dials again after a wait that grows, and with Connect first', async () => {
    const it = await device()
    controller.cut()
    await untilPasses(() => expect(it.device.agent?.connected).toBe(false))
    it.clock.advance(7400)
    await settled()
    expect(controller.connects).toHaveLength(1)
    it.clock.advance(200)
    await controller.connected(2)
    expect(controller.records.filter((kind) => kind === 'websocketConnect')).toHaveLength(2)
  })
})

describe('an Agent hears', () => {
  it('no Record for another, none of another, and answers a session context with 7106', async () => {
    await device()
    controller.sendRecord({ kind: 'disconnect', reason: '', reasonCode: 0 }, { toId: 'proto::other' })
    controller.sendRecord({ kind: 'disconnect', reason: '', reasonCode: 0 }, { fromId: 'proto::other' })
    await controller.heard()
    expect(controller.records.filter((kind) => kind === 'websocketConnect')).toHaveLength(1)
    controller.sendRecord({ kind: 'disconnect', reason: '', reasonCode: 0 })
    await controller.heard()
    expect(controller.records.filter((kind) => kind === 'websocketConnect')).toHaveLength(2)
  })

  it('answers what is no request to an Agent with 7001', async () => {
    await device()
    const reply = await controller.ask('register', { allow_partial: false, reg_paths: [] })
    expect(reply).toMatchObject({ kind: 'error', body: { err_code: 7001 } })
  })
})

describe('subscriptions of an Agent (TR-369 7.6.1)', () => {
  it('ValueChange: of a parameter, of all below an object, of what a search finds, once per change', async () => {
    const it = await device()
    await subscribe('one', 'ValueChange', `${SSID}SSID`)
    await subscribe('all', 'ValueChange', 'Device.WiFi.')
    await subscribe('star', 'ValueChange', 'Device.WiFi.SSID.*.SSID')
    await subscribe('search', 'ValueChange', 'Device.WiFi.SSID.[Alias=="cpe-1"].SSID')
    await subscribe('else', 'ValueChange', 'Device.Time.')
    it.device.tree.put(`${SSID}SSID`, 'new', 'user')
    await settled()
    await controller.heard()
    const told = controller.notifies.slice(1).map(({ notify }) => [notify.subscription_id, notify.value_change])
    const change = { param_path: `${SSID}SSID`, param_value: 'new' }
    expect(told).toEqual(['one', 'all', 'star', 'search'].map((id) => [id, change]))
  })

  it('ObjectCreation with the keys of the row and no ValueChange for its values; ObjectDeletion', async () => {
    await device()
    await subscribe('made', 'ObjectCreation', 'Device.NAT.PortMapping.')
    await subscribe('gone', 'ObjectDeletion', 'Device.NAT.PortMapping.*.')
    await subscribe('value', 'ValueChange', 'Device.NAT.PortMapping.')
    await controller.ask('add', {
      allow_partial: false,
      create_objs: [
        {
          obj_path: 'Device.NAT.PortMapping.',
          param_settings: [{ param: 'ExternalPort', value: '80', required: true }],
        },
      ],
    })
    const { notify } = await controller.notified(({ obj_creation }) => obj_creation !== undefined)
    expect(notify.obj_creation).toMatchObject({
      obj_path: 'Device.NAT.PortMapping.1.',
      unique_keys: { Alias: 'cpe-1', ExternalPort: '80' },
    })
    await controller.ask('delete', { allow_partial: false, obj_paths: ['Device.NAT.PortMapping.1.'] })
    expect((await controller.notified(({ obj_deletion }) => obj_deletion !== undefined)).notify.obj_deletion).toEqual({
      obj_path: 'Device.NAT.PortMapping.1.',
    })
    expect(controller.notifies.some(({ notify: { value_change } }) => value_change !== undefined)).toBe(false)
  })

  it('with NotifRetry is repeated under its msg_id, with the Controller’s own waits, until NotifExpiration', async () => {
    const it = await device()
    await set(CONTROLLER, { USPNotifRetryMinimumWaitInterval: '10', USPNotifRetryIntervalMultiplier: '1000' })
    await subscribe('s', 'ValueChange', `${SSID}SSID`, { NotifRetry: 'true', NotifExpiration: '25' })
    controller.acknowledge = false
    it.device.tree.put(`${SSID}SSID`, 'new', 'user')
    const isChange = ({ value_change }: Notify) => value_change !== undefined
    const first = await controller.notified(isChange)
    expect(first.notify.send_resp).toBe(true)
    for (const n of [1, 2]) {
      it.clock.advance(10_000)
      expect((await controller.notified(isChange, n)).msgId).toBe(first.msgId)
    }
    it.clock.advance(100_000)
    await controller.heard()
    expect(controller.notifies.filter(({ notify }) => isChange(notify))).toHaveLength(3)
  })

  it('without NotifRetry is sent once; a deleted one is not repeated', async () => {
    const it = await device()
    controller.acknowledge = false
    await subscribe('once', 'ValueChange', `${SSID}SSID`)
    const row = await subscribe('again', 'ValueChange', `${SSID}SSID`, { NotifRetry: 'true' })
    it.device.tree.put(`${SSID}SSID`, 'new', 'user')
    await controller.notified(({ subscription_id }) => subscription_id === 'again')
    await controller.ask('delete', { allow_partial: false, obj_paths: [row] })
    it.clock.advance(3_600_000)
    await controller.heard()
    expect(controller.notifies.filter(({ notify }) => notify.value_change !== undefined)).toHaveLength(2)
  })

  it('has one row per Recipient and ID, and the ID and the references stay', async () => {
    await device()
    const row = await subscribe('s', 'ValueChange', `${SSID}SSID`)
    await expect(subscribe('s', 'Event', 'Device.Boot!')).rejects.toThrow('7025')
    for (const values of [{ ReferenceList: 'Device.WiFi.' }, { ID: 't' }])
      expect(await set(row, values)).toMatchObject({ kind: 'error', body: { param_errs: [{ err_code: 7013 }] } })
  })

  it('can notify alone: a TriggerAction that configures is refused', async () => {
    await device()
    await expect(subscribe('c', 'Event', 'Device.Boot!', { TriggerAction: 'Config' })).rejects.toThrow(
      'can notify alone',
    )
    const row = await subscribe('n', 'Event', 'Device.Boot!', { TriggerAction: 'Notify' })
    expect(await set(row, { TriggerAction: 'NotifyAndConfig' })).toMatchObject({
      body: { param_errs: [{ err_code: 7012 }] },
    })
  })

  it('ends with its TimeToLive', async () => {
    const it = await device()
    const row = await subscribe('s', 'ValueChange', `${SSID}SSID`, { TimeToLive: '60' })
    it.clock.advance(59_000)
    expect(it.device.usp?.hasObject(row)).toBe(true)
    it.clock.advance(1000)
    await until(() => it.device.usp?.hasObject(row) === false)
  })

  it('goes with the row of its Controller', async () => {
    const it = await device()
    const row = await subscribe('s', 'ValueChange', `${SSID}SSID`)
    it.device.tree.deleteRow(CONTROLLER, 'device')
    await until(() => it.device.usp?.hasObject(row) === false)
  })

  it('Periodic! comes by PeriodicNotifInterval, counted anew when that is set', async () => {
    const it = await device()
    await subscribe('p', 'Event', `${LOCAL}Periodic!`)
    it.clock.advance(200_000)
    await set(CONTROLLER, { PeriodicNotifInterval: '60' })
    it.clock.advance(60_000)
    const { notify } = await controller.notified(isEvent('Periodic!'))
    expect(notify.event).toEqual({ obj_path: LOCAL, event_name: 'Periodic!', params: {} })
    it.clock.advance(60_000)
    await controller.notified(isEvent('Periodic!'), 1)
  })

  it('that does not persist is gone after a reboot; Boot! goes to one that does, once, with its arguments', async () => {
    const it = await device()
    await subscribe('kept', 'Event', 'Device.Boot!', { Persistent: 'true' })
    await subscribe('lost', 'Event', 'Device.Boot!')
    await controller.ask('add', {
      allow_partial: false,
      create_objs: [
        {
          obj_path: `${CONTROLLER}BootParameter.`,
          param_settings: [
            { param: 'ParameterName', value: 'Device.DeviceInfo.SerialNumber', required: true },
            { param: 'Enable', value: 'true', required: true },
          ],
        },
      ],
    })
    expect(await operate('Device.Reboot()', {}, 'why')).toMatchObject({ kind: 'response' })
    await reboot(it)
    const { notify } = await controller.notified(isEvent('Boot!'))
    expect(notify).toMatchObject({
      subscription_id: 'kept',
      event: {
        obj_path: 'Device.',
        params: {
          CommandKey: 'why',
          Cause: 'RemoteReboot',
          FirmwareUpdated: 'false',
          ParameterMap: '{"Device.DeviceInfo.SerialNumber":"S-1"}',
        },
      },
    })
    await set(CONTROLLER, { ProvisioningCode: 'x' })
    controller.cut()
    await untilPasses(() => expect(it.device.agent?.connected).toBe(false))
    it.clock.advance(10_000)
    await controller.connected(3)
    await controller.heard()
    expect(controller.notifies.filter(({ notify: { event } }) => event?.event_name === 'Boot!')).toHaveLength(1)
  })

  it('after a power cut says so in Boot!, and after a factory reset there is none', async () => {
    const it = await device()
    await subscribe('kept', 'Event', 'Device.Boot!', { Persistent: 'true' })
    it.device.powerLoss()
    it.clock.advance(1000)
    const { notify } = await controller.notified(isEvent('Boot!'))
    expect(notify.event?.params).toMatchObject({ Cause: 'LocalReboot', CommandKey: '' })
    await operate('Device.FactoryReset()')
    await reboot(it, 3)
    expect(it.device.usp?.instances(`${LOCAL}Subscription.`)).toEqual([])
    expect(it.device.controllerRows()).toEqual([CONTROLLER])
  })
})

describe('commands of an Agent (TR-369 7.7)', () => {
  it('that take time have a Request row, and end with OperationComplete and its row gone', async () => {
    const it = await device()
    await subscribe('oc', 'OperationComplete', 'Device.')
    const reply = await operate('Device.ScheduleTimer()', { DelaySeconds: '30' }, 'timer')
    expect(reply).toMatchObject({ body: { operation_results: [{ req_obj_path: `${LOCAL}Request.1.` }] } })
    expect(it.device.usp?.get(`${LOCAL}Request.1.CommandKey`)).toBe('timer')
    it.clock.advance(30_000)
    const { notify } = await controller.notified(({ oper_complete }) => oper_complete !== undefined)
    expect(notify.oper_complete).toEqual({
      obj_path: 'Device.',
      command_name: 'ScheduleTimer()',
      command_key: 'timer',
      req_output_args: { output_args: {} },
    })
    expect(it.device.usp?.instances(`${LOCAL}Request.`)).toEqual([])
  })

  it('that are cancelled end with 7023', async () => {
    const it = await device()
    await subscribe('oc', 'OperationComplete', 'Device.')
    await operate('Device.ScheduleTimer()', { DelaySeconds: '30' }, 'timer')
    await operate(`${LOCAL}Request.1.Cancel()`)
    it.clock.advance(20)
    const { notify } = await controller.notified(({ oper_complete }) => oper_complete !== undefined)
    expect(notify.oper_complete).toMatchObject({ command_key: 'timer', cmd_failure: { err_code: 7023 } })
  })

  it('do not survive a reboot', async () => {
    const it = await device()
    await subscribe('oc', 'OperationComplete', 'Device.', { Persistent: 'true' })
    await operate('Device.ScheduleTimer()', { DelaySeconds: '30' }, 'timer')
    it.device.powerLoss()
    it.clock.advance(1000)
    await controller.connected(2)
    it.clock.advance(60_000)
    await controller.heard()
    expect(controller.notifies.some(({ notify }) => notify.oper_complete !== undefined)).toBe(false)
    expect(it.device.usp?.instances(`${LOCAL}Request.`)).toEqual([])
  })

  it.each([
    ['an argument that must be there', 'Device.ScheduleTimer()', {}, 7027],
    ['an argument that is none', 'Device.ScheduleTimer()', { DelaySeconds: 'soon' }, 7027],
    ['a command that is not there', 'Device.Dance()', {}, 7026],
    [
      'an instance that is not there',
      'Device.DeviceInfo.FirmwareImage.9.Download()',
      { URL: 'x', AutoActivate: '1' },
      7016,
    ],
  ])('fail on %s, in a Response', async (_name, command, args: Record<string, string>, code) => {
    await device()
    expect(await operate(command, args)).toMatchObject({
      kind: 'response',
      body: { operation_results: [{ cmd_failure: { err_code: code } }] },
    })
  })

  it('Download() and Activate() bring firmware: fetched, told, active after a boot with FirmwareUpdated', async () => {
    files = await startFileServer({ 'fw-3.2.bin': Buffer.from('image') })
    const it = await device()
    await subscribe('e', 'Event', 'Device.', { Persistent: 'true', NotifRetry: 'true' })
    await subscribe('oc', 'OperationComplete', 'Device.')
    const bank = 'Device.DeviceInfo.FirmwareImage.2.'
    const url = files.url('fw-3.2.bin')
    await operate(`${bank}Download()`, { URL: url, AutoActivate: 'false' }, 'dl')
    it.clock.advance(500)
    const told = await controller.notified(isEvent('TransferComplete!'))
    expect(told.notify.event?.params).toMatchObject({
      Command: `${bank}Download()`,
      CommandKey: 'dl',
      TransferType: 'Download',
      TransferURL: url,
      FaultCode: '0',
    })
    await controller.notified(({ oper_complete }) => oper_complete?.command_key === 'dl')
    expect([it.device.usp?.get(`${bank}Status`), it.device.usp?.get(`${bank}Version`)]).toEqual(['Available', '3.2'])
    expect(it.device.usp?.get('Device.DeviceInfo.SoftwareVersion')).toBe('1.0')
    await operate(`${bank}Activate()`, {}, 'act').then(() => it.clock.advance(500))
    await controller.notified(({ oper_complete }) => oper_complete?.command_key === 'act')
    it.clock.advance(200)
    it.clock.advance(2000)
    const boot = await controller.notified(isEvent('Boot!'))
    expect(boot.notify.event?.params).toMatchObject({ FirmwareUpdated: 'true', Cause: 'RemoteReboot' })
    expect(it.device.usp?.get('Device.DeviceInfo.SoftwareVersion')).toBe('3.2')
    expect(it.device.usp?.get('Device.DeviceInfo.ActiveFirmwareImage')).toBe('Device.DeviceInfo.FirmwareImage.2')
  })

  it('Download() of what is damaged or not there fails, with the reason in both notifications', async () => {
    files = await startFileServer({ 'fw-3.2.bin': Buffer.from('image') })
    const it = await device()
    await subscribe('e', 'Event', `${LOCAL}TransferComplete!`)
    await subscribe('oc', 'OperationComplete', 'Device.')
    const bank = 'Device.DeviceInfo.FirmwareImage.2.'
    const wrong = { AutoActivate: 'true', CheckSumAlgorithm: 'SHA-256', CheckSum: '00' }
    await operate(`${bank}Download()`, { URL: files.url('fw-3.2.bin'), ...wrong }, 'dl')
    it.clock.advance(500)
    expect((await controller.notified(isEvent('TransferComplete!'))).notify.event?.params).toMatchObject({
      FaultCode: '9018',
    })
    const { notify } = await controller.notified(({ oper_complete }) => oper_complete !== undefined)
    expect(notify.oper_complete?.cmd_failure).toMatchObject({ err_code: 7022 })
    expect(it.device.usp?.get(`${bank}Status`)).toBe('DownloadFailed')
    it.clock.advance(5000)
    expect(it.device.reboots).toBe(0)
  })
})
