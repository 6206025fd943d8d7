import { beforeEach, describe, expect, it } from 'vitest'
import { silentLog } from '../../../src/base/index.ts'
import { dualStackGateway, loadPresetModels } from '../../../src/simulator/index.ts'
import { AgentCommands } from '../../../src/usp/agent/commands.ts'
import { ownRowValues } from '../../../src/usp/agent/own-values.ts'
import type { RequestRefused } from '../../../src/usp/agent/request-refused.ts'
import type { Requester } from '../../../src/usp/agent/requester.ts'
import { AgentRequests } from '../../../src/usp/agent/requests.ts'
import { RoleTable } from '../../../src/usp/agent/role-table.ts'
import { TreeModel } from '../../../src/usp/agent/tree-model.ts'
import {
  type AccessPolicy,
  type CommandCall,
  MANAGER,
  type PermissionRow,
  WIFI_WATCHER,
} from '../../../src/usp/index.ts'
import { MemoryAgentModel } from '../../support/memory-agent-model.ts'
import { FACTS } from '../../support/simulated-device.ts'

const MODELS = loadPresetModels()
const TRUST = 'Device.LocalAgent.ControllerTrust.'
const CONTROLLERS = 'Device.LocalAgent.Controller.'
const SUBSCRIPTIONS = 'Device.LocalAgent.Subscription.'
const SSID = 'Device.WiFi.SSID.1.'
const MAPPINGS = 'Device.NAT.PortMapping.'
const NONE = { Param: '----', Obj: '----', InstantiatedObj: '----', CommandEvent: '----' }

let model: MemoryAgentModel
let requests: AgentRequests
let roles: RoleTable
let by: string
beforeEach(async () => {
  const { usp } = dualStackGateway(FACTS, 'os::00256D-S1', MODELS)
  model = await MemoryAgentModel.copyOf(new TreeModel(usp, async () => ({ done: Promise.resolve({ output: {} }) })))
  requests = new AgentRequests(model, () => ({}))
  roles = table()
  const [row = ''] = await model.add([{ table: CONTROLLERS, values: { EndpointID: 'proto::c', Enable: 'true' } }], 'a')
  by = row
})

function table(policy?: AccessPolicy): RoleTable {
  const made = new RoleTable(model, policy)
  model.changes(({ path }) => made.changed(path))
  return made
}

/** Adds a role with some permissions; answers its row as a reference. */
async function role(name: string, ...permissions: Partial<PermissionRow>[]): Promise<string> {
  const [row = ''] = await model.add([{ table: `${TRUST}Role.`, values: { Name: name, Enable: 'true' } }], 'a')
  const rows = permissions.map((one, i) => ({
    table: `${row}Permission.`,
    values: { ...NONE, Order: String(i + 1), Enable: 'true', ...one },
  }))
  if (rows.length > 0) await model.add(rows, 'a')
  return row.slice(0, -1)
}

const assign = (...names: string[]) => model.set([{ path: `${by}AssignedRole`, value: names.join(',') }], 'a')
const who = async (): Promise<Requester> => ({ by, access: await roles.accessOf(by) })
const needed = (param: string, value: string) => ({ param, value, required: true })
const refusal = (work: Promise<unknown>) =>
  work.then(
    () => undefined,
    ({ code, errors }: RequestRefused) => ({ code, errors: errors.map(({ err_code }) => err_code) }),
  )

/** An Agent that does nothing beyond its commands. */
const HOST = {
  enqueue: () => undefined,
  sendOnBoardRequest: () => undefined,
  resetConnection: () => undefined,
  operationComplete: async () => undefined,
  transferComplete: async () => undefined,
  sendNotifications: () => undefined,
  now: () => 0,
}

async function get(path: string) {
  const { req_path_results } = await requests.get({ param_paths: [path], max_depth: 0 }, await who())
  const [result] = req_path_results
  const found = result?.resolved_path_results.map(({ resolved_path, result_params }) => [resolved_path, result_params])
  return { code: result?.err_code, found }
}

describe('the roles in force', () => {
  const mayRead = async () => (await roles.accessOf(by)).mayRead(`${SSID}SSID`)
  const reads = { Targets: 'Device.', Param: 'r---' }

  it('are AssignedRole and InheritedRole, written with a last dot or without', async () => {
    const reader = await role('reader', reads)
    await assign(`${reader}.`)
    expect(await mayRead()).toBe(true)
    await assign(await role('other'))
    expect(await mayRead()).toBe(false)
    model.put(`${by}InheritedRole`, reader)
    expect(await mayRead()).toBe(true)
  })

  it('are named for a command, as they are in force when it is asked for', async () => {
    expect(await roles.namesOf(by)).toEqual(['Untrusted'])
    await assign(await role('reader', reads), await role('rebooter'), `${TRUST}Role.99`)
    expect(await roles.namesOf(by)).toEqual(['reader', 'rebooter'])
    await assign(await role('other'))
    expect(await roles.namesOf(by)).toEqual(['other'])
  })

  it('are UntrustedRole for a Controller without one, and nothing for a row that is not there', async () => {
    expect(await mayRead()).toBe(false)
    await model.set([{ path: `${TRUST}UntrustedRole`, value: await role('guest', reads) }], 'a')
    expect(await mayRead()).toBe(true)
    expect((await roles.accessOf(`${CONTROLLERS}9.`)).mayRead(`${SSID}SSID`)).toBe(false)
    // A role that grants nothing is a role.
    await assign(await role('nothing'))
    expect(await mayRead()).toBe(false)
  })

  it('are not those that are disabled, nor their permissions that are', async () => {
    const reader = await role('reader', reads)
    await assign(reader)
    for (const path of [`${reader}.Enable`, `${reader}.Permission.1.Enable`]) {
      expect(await mayRead()).toBe(true)
      await model.set([{ path, value: 'false' }], 'a')
      expect(await mayRead()).toBe(false)
      await model.set([{ path, value: 'true' }], 'a')
    }
  })

  it('follow every change of the table from the next request on', async () => {
    const reader = await role('reader', reads)
    await assign(reader)
    expect(await mayRead()).toBe(true)
    await model.set([{ path: `${reader}.Permission.1.Param`, value: '-w--' }], 'a')
    expect(await mayRead()).toBe(false)
    await model.add(
      [{ table: `${reader}.Permission.`, values: { ...NONE, ...reads, Order: '9', Enable: 'true' } }],
      'a',
    )
    expect(await mayRead()).toBe(true)
    await model.delete([`${reader}.`], 'a')
    expect(await mayRead()).toBe(false)
  })

  it('have targets with search expressions, resolved at each use', async () => {
    const target = `${MAPPINGS}[Enable==true].`
    await assign(await role('some', { Targets: `${target},Device.Nope.[A==1].,no path`, Param: 'r---' }))
    const [row = ''] = await model.add([{ table: MAPPINGS, values: { Description: 'd' } }], 'a')
    expect((await roles.accessOf(by)).mayRead(`${row}Description`)).toBe(false)
    await model.set([{ path: `${row}Enable`, value: 'true' }], 'a')
    expect((await roles.accessOf(by)).mayRead(`${row}Description`)).toBe(true)
  })

  it('are seeded once by a policy, which names the roles of Controllers without one', async () => {
    roles = table({ roleOf: (id) => (id === 'proto::c' ? WIFI_WATCHER.name : MANAGER.name) })
    for (let i = 0; i < 2; i++) await roles.seed()
    const names = await model.get((await model.instances(`${TRUST}Role.`)).map((row) => `${row}Name`))
    expect([...names.values()]).toEqual([MANAGER.name, 'Untrusted', WIFI_WATCHER.name])
    const access = await roles.accessOf(by)
    expect([access.mayRead(`${SSID}SSID`), access.has('Param', 'w', `${SSID}SSID`)]).toEqual([true, false])
    model.put(`${by}EndpointID`, 'proto::manager')
    expect((await roles.accessOf(by)).has('CommandEvent', 'x', 'Device.Reboot()')).toBe(true)
  })

  it('cannot be read: nothing is permitted, and they are read again', async () => {
    await assign(await role('reader', reads))
    const instances = model.instances.bind(model)
    model.instances = () => Promise.reject(new Error('the device does not answer'))
    await expect(roles.accessOf(by)).rejects.toThrow('the device does not answer')
    model.instances = instances
    expect(await mayRead()).toBe(true)
  })
})

describe('a Controller without rights', () => {
  it('reads nothing, and cannot find out what is there (R-GET.1, R-GIN.0, R-GSP.0)', async () => {
    for (const path of [`${SSID}SSID`, SSID, 'Device.', 'Device.WiFi.SSID.*.SSID', 'Device.WiFi.SSID.9.'])
      expect(await get(path)).toEqual({ code: 7026, found: [] })
    const instances = await requests.instances(
      { obj_paths: ['Device.WiFi.SSID.'], first_level_only: false },
      await who(),
    )
    expect(instances.req_path_results).toMatchObject([{ err_code: 7026, curr_insts: [] }])
    const flags = { return_commands: true, return_events: true, return_params: true, return_unique_key_sets: true }
    const paths = ['Device.', SSID, 'Device.Reboot()']
    const supported = await requests.supportedModel(
      { obj_paths: paths, first_level_only: false, ...flags },
      await who(),
    )
    expect(supported.req_obj_results.map(({ err_code }) => err_code)).toEqual([7026, 7026, 7026])
  })

  it('changes nothing, and is refused with 7006 whether a row is there or not (R-SEC.1)', async () => {
    const denied = { code: 7006, errors: [7006] }
    for (const obj_path of [SSID, 'Device.WiFi.SSID.9.']) {
      const update_objs = [{ obj_path, param_settings: [needed('SSID', 'new')] }]
      expect(await refusal(requests.set({ allow_partial: false, update_objs }, await who()))).toEqual(denied)
    }
    for (const obj_path of [MAPPINGS, 'Device.IP.Interface.9.IPv4Address.']) {
      const create_objs = [{ obj_path, param_settings: [] }]
      expect(await refusal(requests.add({ allow_partial: false, create_objs }, await who()))).toEqual(denied)
    }
    const [row = ''] = await model.add([{ table: MAPPINGS, values: {} }], 'a')
    for (const path of [row, `${MAPPINGS}9.`, `${MAPPINGS}*.`])
      expect(await refusal(requests.remove({ allow_partial: false, obj_paths: [path] }, await who()))).toEqual(denied)
    expect(await model.instances(MAPPINGS)).toEqual([row])
  })

  it('runs no command: cmd_failure 7006 and never an Error (R-OPR.1)', async () => {
    const commands = new AgentCommands(model, HOST, silentLog)
    for (const command of ['Device.Reboot()', 'Device.DeviceInfo.FirmwareImage.9.Download()']) {
      const request = { command, command_key: '', send_resp: true, input_args: {} }
      const { response } = await commands.operate(request, { ...(await who()), roles: [] })
      expect(response.operation_results).toMatchObject([{ cmd_failure: { err_code: 7006 } }])
    }
  })
})

describe('rows of which a Controller has no right', () => {
  const INTERFACES = 'Device.IP.Interface.'
  const flags = { return_commands: true, return_events: true, return_params: true, return_unique_key_sets: true }
  beforeEach(async () => {
    await assign(await role('some', { Targets: 'Device.WiFi.', Param: 'rw--', Obj: 'rw--', InstantiatedObj: 'rw--' }))
  })

  /** All that the Controller is answered about a row, `*` for all, whatever it asks. */
  async function answers(instance: string): Promise<string> {
    const row = `${INTERFACES}${instance}.`
    const requester = await who()
    const commands = new AgentCommands(model, HOST, silentLog)
    const asked: unknown[] = []
    const ask = async (work: Promise<unknown>) => asked.push(await work.catch(({ code, errors }) => ({ code, errors })))
    for (const path of [row, `${row}Enable`, `${row}Nope`, `${row}IPv4Address.*.IPAddress`])
      await ask(requests.get({ param_paths: [path], max_depth: 0 }, requester))
    await ask(requests.instances({ obj_paths: [`${row}IPv4Address.`], first_level_only: false }, requester))
    if (instance !== '*')
      await ask(requests.supportedModel({ obj_paths: [row], first_level_only: false, ...flags }, requester))
    for (const allow_partial of [false, true]) {
      const update_objs = [{ obj_path: row, param_settings: [needed('Enable', 'false')] }]
      await ask(requests.set({ allow_partial, update_objs }, requester))
      const create_objs = [{ obj_path: `${row}IPv4Address.`, param_settings: [] }]
      await ask(requests.add({ allow_partial, create_objs }, requester))
      for (const path of [row, `${row}IPv4Address.1.`, `${row}IPv4Address.*.`])
        await ask(requests.remove({ allow_partial, obj_paths: [path] }, requester))
    }
    await ask(
      commands.operate(
        { command: `${row}Reset()`, command_key: '', send_resp: true, input_args: {} },
        { ...requester, roles: [] },
      ),
    )
    return JSON.stringify(asked)
  }

  it('look like rows that are not there, to every request', async () => {
    expect(await model.instances(INTERFACES)).toContain(`${INTERFACES}1.`)
    const [there, absent] = [await answers('1'), await answers('77')]
    expect(there).toBe(absent.replaceAll('Interface.77.', 'Interface.1.'))
  })

  it('are in objects that look like those that the Agent does not have', async () => {
    const paths = ['Device.DeviceInfo.', INTERFACES, `${INTERFACES}*.IPv4Address.`, `${INTERFACES}1.IPv4Address.`]
    const { req_path_results } = await requests.instances(
      { obj_paths: [...paths, 'Device.Absent.'], first_level_only: true },
      await who(),
    )
    for (const { requested_path, err_code, err_msg } of req_path_results)
      expect([err_code, err_msg]).toEqual([7026, `${requested_path} is not supported`])
  })

  it('are not named to one that asks for all', async () => {
    expect(await answers('*')).not.toMatch(/Interface\.\d/)
  })

  it('are left out of what is done to all, and their keys are taken', async () => {
    const [first = '', second = ''] = await model.add(
      [1, 2].map(() => ({ table: MAPPINGS, values: {} })),
      'a',
    )
    await model.set([{ path: `${second}Alias`, value: 'taken' }], 'a')
    await assign(
      await role(
        'one',
        { Targets: MAPPINGS, Param: 'rw--', Obj: 'rw--', InstantiatedObj: 'rw--' },
        { Targets: second },
      ),
    )
    const create_objs = [{ obj_path: MAPPINGS, param_settings: [needed('Alias', 'taken')] }]
    const refused = requests.add({ allow_partial: false, create_objs }, await who()).catch(({ errors }) => errors)
    expect(await refused).toEqual([{ param_path: MAPPINGS, err_code: 7025, err_msg: 'another row has the same Alias' }])
    const { deleted_obj_results } = await requests.remove(
      { allow_partial: false, obj_paths: [`${MAPPINGS}*.`] },
      await who(),
    )
    expect(deleted_obj_results[0]?.oper_status.oper_success?.affected_paths).toEqual([first])
    expect(await model.instances(MAPPINGS)).toEqual([second])
  })
})

describe('a Controller that may write subscriptions and not read them', () => {
  const add = async (ID: string, requester: Requester) =>
    requests.add(
      {
        allow_partial: false,
        create_objs: [
          {
            obj_path: SUBSCRIPTIONS,
            param_settings: Object.entries({ ID, NotifType: 'ValueChange', ReferenceList: 'Device.WiFi.' }).map(
              ([name, value]) => needed(name, value),
            ),
          },
        ],
      },
      requester,
    )
  let watcher: Requester
  let other: Requester
  beforeEach(async () => {
    const [second = ''] = await model.add([{ table: CONTROLLERS, values: { EndpointID: 'proto::d' } }], 'a')
    roles = table({ roleOf: (id) => (id === 'proto::c' ? WIFI_WATCHER.name : MANAGER.name) })
    await roles.seed()
    requests = new AgentRequests(model, (rows, by) => ownRowValues(rows, by, 0))
    watcher = { by, access: await roles.accessOf(by) }
    other = { by: second, access: await roles.accessOf(second) }
  })

  it('changes and deletes its own alone', async () => {
    await add('theirs', other)
    await add('mine', watcher)
    const [theirs = '', mine = ''] = await model.instances(SUBSCRIPTIONS)
    const param_settings = [needed('Enable', 'true')]
    for (const allow_partial of [false, true]) {
      const update_objs = [{ obj_path: `${SUBSCRIPTIONS}*.`, param_settings }]
      const { updated_obj_results } = await requests.set({ allow_partial, update_objs }, watcher)
      expect(JSON.stringify(updated_obj_results)).toContain(mine)
      expect(JSON.stringify(updated_obj_results)).not.toContain(theirs)
    }
    const update_objs = [{ obj_path: theirs, param_settings }]
    await expect(requests.set({ allow_partial: false, update_objs }, watcher)).rejects.toMatchObject({
      errors: [{ param_path: theirs, err_code: 7016 }],
    })
    expect((await model.get([`${theirs}Enable`])).get(`${theirs}Enable`)).toBe('false')
    await requests.remove({ allow_partial: true, obj_paths: [theirs, `${SUBSCRIPTIONS}*.`] }, watcher)
    expect(await model.instances(SUBSCRIPTIONS)).toEqual([theirs])
  })

  it('has at most a hundred of them, so that others find room', async () => {
    for (let i = 0; i < 100; i++) await add(`s${i}`, watcher)
    expect(await refusal(add('more', watcher))).toEqual({ code: 7004, errors: [7005] })
    expect(await refusal(add('theirs', other))).toBeUndefined()
  })
})

describe('a Controller with some rights', () => {
  it('is known to the device that it asks for a command, with its roles', async () => {
    await assign(await role('rebooter', { Targets: 'Device.', Param: 'r---', CommandEvent: 'r-x-' }))
    await model.set([{ path: `${by}EndpointID`, value: 'self::c' }], 'a')
    const calls: CommandCall[] = []
    model.run = async (call) => {
      calls.push(call)
      return { output: {} }
    }
    const request = { command: 'Device.Reboot()', command_key: 'k', send_resp: true, input_args: {} }
    const asks = { ...(await who()), roles: await roles.namesOf(by) }
    await new AgentCommands(model, HOST, silentLog).operate(request, asks)
    expect(calls).toMatchObject([{ commandKey: 'k', by: { endpointId: 'self::c', roles: ['rebooter'] } }])
  })

  it('gets the parameters that it may read, and no more (R-GET.4)', async () => {
    await assign(await role('some', { Targets: 'Device.WiFi.SSID.', Param: 'r---' }, { Targets: `${SSID}Enable` }))
    const { code, found } = await get('Device.')
    expect([code, found?.map(([path]) => path)]).toEqual([0, [SSID]])
    expect(Object.keys(found?.[0]?.[1] ?? {})).toContain('SSID')
    expect(Object.keys(found?.[0]?.[1] ?? {})).not.toContain('Enable')
    expect(await get(`${SSID}Enable`)).toEqual({ code: 7026, found: [] })
    expect(await get('Device.WiFi.SSID.*.SSID')).toMatchObject({ code: 0, found: [[SSID, { SSID: 'H1-5G' }]] })
    expect(await get('Device.WiFi.SSID.2.SSID')).toMatchObject({ code: 7026 })
  })

  it('cannot search or follow what it may not read', async () => {
    const target = 'Device.WiFi.SSID.*.SSID,Device.Ethernet.'
    await assign(await role('some', { Targets: target, Param: 'r---' }))
    expect(await get('Device.WiFi.SSID.[SSID=="H1-5G"].SSID')).toMatchObject({ found: [[SSID, { SSID: 'H1-5G' }]] })
    expect(await get('Device.WiFi.SSID.[Enable==true].SSID')).toEqual({ code: 0, found: [] })
    expect(await get('Device.IP.Interface.1.LowerLayers+.Name')).toMatchObject({ found: [] })
  })

  it('gets instances and unique keys as it may read them (R-GIN.1)', async () => {
    await assign(
      await role(
        'some',
        { Targets: 'Device.Ethernet.Interface.', InstantiatedObj: 'r---', Param: 'r---' },
        { Targets: 'Device.Ethernet.Interface.*.Name', Param: '----' },
        { Targets: 'Device.Ethernet.Interface.2.', InstantiatedObj: '----' },
      ),
    )
    const request = { obj_paths: ['Device.Ethernet.Interface.'], first_level_only: true }
    const { req_path_results } = await requests.instances(request, await who())
    expect(req_path_results[0]?.curr_insts).toEqual([
      { instantiated_obj_path: 'Device.Ethernet.Interface.1.', unique_keys: { Alias: 'cpe-1' } },
    ])
  })

  it('is shown the model that it may read (R-GSP.0)', async () => {
    await assign(
      await role(
        'some',
        { Targets: 'Device.WiFi.SSID.1.', Obj: 'r---', Param: 'r---' },
        { Targets: 'Device.Reboot()', CommandEvent: 'r---' },
      ),
    )
    const flags = { return_commands: true, return_events: true, return_params: true, return_unique_key_sets: true }
    const ask = async (path: string) =>
      (await requests.supportedModel({ obj_paths: [path], first_level_only: false, ...flags }, await who()))
        .req_obj_results[0]
    const all = await ask('Device.')
    expect(all?.supported_objs.map(({ supported_obj_path }) => supported_obj_path)).toEqual(['Device.WiFi.SSID.{i}.'])
    expect(all?.supported_objs[0]?.supported_params.map(({ param_name }) => param_name)).toContain('SSID')
    expect((await ask('Device.Reboot()'))?.supported_objs[0]?.supported_commands).toHaveLength(1)
    expect(await ask('Device.FactoryReset()')).toMatchObject({ err_code: 7026 })
  })

  it('sets the parameters that it may write; what it may not read is not shown (R-SET.3)', async () => {
    await assign(
      await role('some', { Targets: `${SSID}SSID`, Param: 'rw--' }, { Targets: `${SSID}Enable`, Param: '-w--' }),
    )
    const wished = (param: string, value: string) => ({ param, value, required: false })
    const param_settings = [wished('SSID', 'new'), wished('Enable', 'false'), wished('LowerLayers', '')]
    const set = async (allow_partial: boolean, settings = param_settings) =>
      requests.set({ allow_partial, update_objs: [{ obj_path: SSID, param_settings: settings }] }, await who())
    expect((await set(false)).updated_obj_results[0]?.oper_status.oper_success?.updated_inst_results).toMatchObject([
      { updated_params: { SSID: 'new' }, param_errs: [{ param: 'LowerLayers', err_code: 7006 }] },
    ])
    expect(await model.get([`${SSID}Enable`])).toEqual(new Map([[`${SSID}Enable`, 'false']]))
    const required = [needed('SSID', 'x'), needed('LowerLayers', '')]
    expect(await refusal(set(false, required))).toEqual({ code: 7006, errors: [7006] })
    const [result] = (await set(true, required)).updated_obj_results
    expect(result?.oper_status.oper_failure).toMatchObject({
      err_code: 7021,
      updated_inst_failures: [{ param_errs: [{ err_code: 7006 }] }],
    })
  })

  it('adds rows to the tables of a search where it may (R-ADD.6)', async () => {
    const [second = ''] = await model.add([{ table: CONTROLLERS, values: { EndpointID: 'proto::d' } }], 'a')
    const parameters = { Obj: 'rw--', Param: '-w--' }
    const reads = { Targets: CONTROLLERS, Param: 'r---' }
    await assign(await role('some', reads, { Targets: `${by}BootParameter.`, ...parameters }))
    const add = async (allow_partial: boolean) =>
      requests.add(
        {
          allow_partial,
          create_objs: [
            { obj_path: `${CONTROLLERS}*.BootParameter.`, param_settings: [needed('ParameterName', 'Device.X')] },
          ],
        },
        await who(),
      )
    expect(await refusal(add(false))).toEqual({ code: 7006, errors: [7006] })
    expect(await model.instances(`${by}BootParameter.`)).toEqual([])
    const { created_obj_results } = await add(true)
    expect(created_obj_results).toMatchObject([
      { oper_status: { oper_success: { instantiated_path: `${by}BootParameter.1.`, unique_keys: {} } } },
      { requested_path: `${CONTROLLERS}*.BootParameter.`, oper_status: { oper_failure: { err_code: 7006 } } },
    ])
    expect(await model.instances(`${second}BootParameter.`)).toEqual([])
  })

  it('deletes the rows of a search that it may, and is told of the others that it may read (R-DEL.3, R-DEL.4)', async () => {
    const rows = await model.add(
      [1, 2, 3].map(() => ({ table: MAPPINGS, values: {} })),
      'a',
    )
    const [first = '', second = '', third = ''] = rows
    await assign(
      await role(
        'some',
        { Targets: MAPPINGS, InstantiatedObj: 'rw--' },
        { Targets: second, InstantiatedObj: 'r---' },
        { Targets: third, Param: 'r---' },
      ),
    )
    const remove = async (allow_partial: boolean) =>
      requests.remove({ allow_partial, obj_paths: [`${MAPPINGS}*.`] }, await who())
    expect(await refusal(remove(false))).toEqual({ code: 7006, errors: [7006, 7006] })
    expect((await remove(true)).deleted_obj_results[0]?.oper_status.oper_success).toMatchObject({
      affected_paths: [first],
      unaffected_path_errs: [{ unaffected_path: second, err_code: 7006 }],
    })
    expect(await model.instances(MAPPINGS)).toEqual([second, third])
  })

  it('subscribes to what it may be notified of; else 7006 on ReferenceList', async () => {
    roles = table({ roleOf: () => WIFI_WATCHER.name })
    requests = new AgentRequests(model, (rows, by) => ownRowValues(rows, by, 0))
    await roles.seed()
    const subscribe = async (ID: string, NotifType: string, ReferenceList: string) => {
      const param_settings = Object.entries({ ID, NotifType, ReferenceList }).map(([name, text]) => needed(name, text))
      return requests.add(
        { allow_partial: false, create_objs: [{ obj_path: SUBSCRIPTIONS, param_settings }] },
        await who(),
      )
    }
    expect(await refusal(subscribe('a', 'ValueChange', 'Device.WiFi.'))).toBeUndefined()
    expect(await refusal(subscribe('b', 'Event', 'Device.Boot!'))).toBeUndefined()
    expect(await refusal(subscribe('c', 'ValueChange', 'Device.Time.'))).toEqual({ code: 7006, errors: [7006] })
    expect(await refusal(subscribe('d', 'OperationComplete', 'Device.Reboot()'))).toMatchObject({ code: 7006 })
    expect(await get(SUBSCRIPTIONS)).toMatchObject({ found: [] })
    const [row = ''] = await model.instances(SUBSCRIPTIONS)
    const update_objs = [{ obj_path: row, param_settings: [needed('NotifType', 'ObjectCreation')] }]
    await model.set([{ path: `${row}ReferenceList`, value: 'Device.Hosts.' }], 'a')
    expect(await refusal(requests.set({ allow_partial: false, update_objs }, await who()))).toMatchObject({
      code: 7006,
    })
  })

  it('that adds a permission without an Order adds the one that decides (R-ADD.5)', async () => {
    await assign(`${TRUST}Role.1`)
    const create_objs = [1, 2].map(() => ({
      obj_path: `${TRUST}Role.1.Permission.`,
      param_settings: [needed('Targets', SSID), needed('Param', 'r---'), needed('Enable', 'true')],
    }))
    const { created_obj_results } = await requests.add({ allow_partial: false, create_objs }, await who())
    const keys = created_obj_results.map(({ oper_status }) => oper_status.oper_success?.unique_keys.Order)
    expect(keys).toEqual(['2', '3'])
    expect((await roles.accessOf(by)).has('Param', 'w', `${SSID}SSID`)).toBe(false)
  })
})

it('an Agent whose model has no roles gives full access', async () => {
  const supported = await model.supported()
  model.supported = async () => ({
    ...supported,
    uri: supported.uri,
    object: (schema) => (schema.startsWith(`${TRUST}Role.`) ? undefined : supported.object(schema)),
  })
  expect((await table().accessOf(by)).has('CommandEvent', 'x', 'Device.Reboot()')).toBe(true)
})
